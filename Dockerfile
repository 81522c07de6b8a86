# syntax=docker/dockerfile:1
# The Python that the tests run on: 3.11.16 for amd64 and arm64. `docker buildx imagetools inspect python:3.11-slim` tells the
# digest of a newer one.
ARG BASE=python:3.11-slim@sha256:da047cb8f9d1d98e5c070f5300ba9f7274e33b8fc0e5be5ed88740aed1b95ba9
FROM ${BASE} AS build
WORKDIR /src
RUN python -m venv /opt/linesman
COPY .ci/requirements.txt .ci/requirements.txt
RUN /opt/linesman/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r .ci/requirements.txt
COPY pyproject.toml README.md ./
COPY bot bot
# A server builds no package, draws no demo and installs nothing.
RUN /opt/linesman/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
    && /opt/linesman/bin/pip uninstall --quiet --yes --disable-pip-version-check \
        hatchling editables packaging pathspec pluggy trove-classifiers rich markdown-it-py mdurl pygments tomlkit setuptools pip

FROM ${BASE}
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin linesman \
    && install -d -o linesman -g linesman -m 0750 /data
COPY --from=build /opt/linesman /opt/linesman
ENV PATH=/opt/linesman/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PORT=3000 \
    DATABASE_URL=sqlite+aiosqlite:////data/linesman.db
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
# The container's own proxy settings must not send this request outside; any status but 2xx raises and counts as unhealthy.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4).close()"]
CMD ["linesman", "serve"]
