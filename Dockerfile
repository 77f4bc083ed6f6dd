# One image for api, worker, beat and every command; which it is, the command says.
#   docker build -t hotel-clearinghouse .
# To be sure of the base, name it by digest: --build-arg PYTHON=python:3.11-slim-bookworm@sha256:…
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
RUN python -m venv /opt/clearinghouse
# Packages first, since they change seldom: every one as locked, by its hash.
COPY requirements.lock ./
RUN /opt/clearinghouse/bin/pip install --no-deps --require-hashes -r requirements.lock
# What builds the wheel, from the same locks; it stays in this stage.
COPY scripts/setup.py scripts/setup.py
COPY requirements-dev.lock ./
RUN python scripts/setup.py pins hatchling packaging pathspec pluggy tomlkit trove-classifiers >build.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --no-deps --require-hashes -r build.lock
COPY pyproject.toml README.md LICENSE ./
COPY clearinghouse clearinghouse
COPY settlement settlement
COPY api api
COPY migrations migrations
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/clearinghouse/bin/pip install --no-deps --no-index /dist/*.whl \
    && /opt/clearinghouse/bin/pip check \
    && /opt/clearinghouse/bin/python -m compileall -q /opt/clearinghouse/lib \
    && /opt/clearinghouse/bin/pip uninstall --yes pip

FROM ${PYTHON}
RUN groupadd --gid 10001 clearinghouse \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/clearinghouse --create-home --shell /usr/sbin/nologin clearinghouse
COPY --from=build /opt/clearinghouse /opt/clearinghouse
# Nothing is written but to the data folder and /tmp, so the rest of the file system can be read-only.
ENV PATH=/opt/clearinghouse/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    CLEARINGHOUSE_DATA_DIR=/var/lib/clearinghouse
USER 10001:10001
WORKDIR /var/lib/clearinghouse
EXPOSE 8080
ENTRYPOINT ["clearinghouse"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
