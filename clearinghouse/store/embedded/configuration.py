"""How the embedded server is set up: durable first, then fitted to a small machine.

The settings are written to ``clearinghouse.conf`` in the data directory at every start and included
by postgresql.conf, so an operator's own lines after the include (or ALTER SYSTEM) win.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from clearinghouse.store.embedded.binaries import Binaries
from clearinghouse.store.embedded.layout import PORT

FILE_NAME = "clearinghouse.conf"
#: Only the socket, which stands in a folder nobody else can enter; no network, ever.
HOST_RULES = "# Written by clearinghouse.\nlocal all all trust\nlocal replication all trust\n"
_MEGABYTE = 1 << 20
_SMALL_SHARED_MEMORY = 1 << 30
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def initdb_locale(binaries: Binaries) -> list[str]:
    """The encoding and collation of every database here: UTF-8, ordered by code point.

    From version 17 on it is PostgreSQL's own: no upgrade of the system can then change an index.
    """
    own = ["--locale-provider=builtin"] if binaries.major >= 17 else []
    return ["-E", "UTF8", "--locale=C.UTF-8", *own]


def server_settings(cluster: Path, socket_folder: Path, lz4: bool) -> dict[str, str]:
    """The settings of a server on this data directory.

    Args:
        cluster: PostgreSQL's data directory.
        socket_folder: Where its socket stands.
        lz4: Whether this PostgreSQL can compress its journal with lz4. Its older method (pglz)
            made bulk updates half as slow again on two cores, so without lz4 there is none.
    """
    memory = _memory_bytes()
    shared = min(1024 * _MEGABYTE, max(16 * _MEGABYTE, memory // 8))
    return {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{socket_folder}"',
        "unix_socket_permissions": "0700",
        "cluster_name": title_for(cluster),
        "max_connections": "100",
        "max_locks_per_transaction": "256",  # one statement may touch every partition
        "shared_buffers": _megabytes(shared),
        "effective_cache_size": _megabytes(max(shared, memory // 2)),
        "work_mem": _megabytes(min(32 * _MEGABYTE, max(4 * _MEGABYTE, memory // 128))),
        "maintenance_work_mem": _megabytes(min(256 * _MEGABYTE, max(32 * _MEGABYTE, memory // 16))),
        "huge_pages": "off",
        # Containers have 64 MB of /dev/shm, which one parallel hash join can exceed.
        "dynamic_shared_memory_type": "posix" if _has_shared_memory() else "mmap",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "wal_compression": "lz4" if lz4 else "off",
        # An import writes some 4 MB a sequence: what it needs is kept instead of being made anew.
        "wal_buffers": "16MB",
        "min_wal_size": "512MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "autovacuum_max_workers": "2",
        "autovacuum_vacuum_scale_factor": "0.1",
        "autovacuum_analyze_scale_factor": "0.05",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        "logging_collector": "off",
        "log_destination": "stderr",
        "log_line_prefix": "%m [%p] %u@%d ",
        # A statement or a detail may hold a guest's name or a card number: neither is logged.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": "-1",
    }


def render(settings: Mapping[str, str]) -> bytes:
    """The text of the file; a path's own bytes are kept."""
    lines = ["# Written by clearinghouse at every start. Your own settings: postgresql.conf."]
    for name, value in settings.items():
        escaped = value.replace("\\", "\\\\").replace("'", "''")
        lines.append(f"{name} = '{escaped}'")
    return os.fsencode("\n".join(lines) + "\n")


def title_for(cluster: Path) -> str:
    """The name in the titles of the server's processes; made from the path, for this path alone."""
    return f"clearinghouse-{hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]}"


def last_title(cluster: Path) -> str:
    """The title of the server that ran last, also if the folder was renamed since."""
    try:
        text = (cluster / FILE_NAME).read_bytes()
    except FileNotFoundError:
        return title_for(cluster)
    found = re.search(rb"^cluster_name = '([\w-]+)'$", text, re.MULTILINE)
    return found[1].decode() if found else title_for(cluster)


def _megabytes(size: int) -> str:
    return f"{size // _MEGABYTE}MB"


def _memory_bytes() -> int:
    """The memory this process may use: the machine's, or less in a container."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _CGROUP_LIMITS:
        try:
            memory = min(memory, int(path.read_text()))
        except (OSError, ValueError):
            continue
    return memory


def _has_shared_memory() -> bool:
    try:
        return shutil.disk_usage("/dev/shm").total >= _SMALL_SHARED_MEMORY  # noqa: S108  not a file
    except OSError:
        return True
