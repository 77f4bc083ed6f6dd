"""Pages of one make: their addresses without what they are about, for those who look at one of each."""

import re

_ABOUT = re.compile(
    r"(?<=/)(\d[\d-]*|[0-9a-f]{12,}|[a-z]+_[0-9a-z]{8,}|sample-\d|[\w-]{40,}|[A-Z][A-Z0-9-]*|[^/]*(?:%40|@)[^/]*)(?=/|$)"
)
_DOWNLOAD = re.compile(r"\.\w{2,4}$|/(download|export)")


def make_of(path: str) -> str:
    """What pages of one make have in common: their path without what they are about."""
    return _ABOUT.sub("*", path.partition("?")[0].rstrip("/"))


def is_download(path: str) -> bool:
    """Tell whether an address gives a file and no page."""
    return _DOWNLOAD.search(make_of(path)) is not None
