# A small image: the hub's packages and its code, nothing else. Data is in /data.
FROM python:3.11-slim AS build
WORKDIR /hub
COPY requirements.lock ./
RUN python -m venv /hub/.venv \
    && /hub/.venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home hub && install -d -o hub -g hub -m 0700 /data
WORKDIR /hub
COPY --from=build /hub/.venv /hub/.venv
COPY manage.py pyproject.toml requirements-builtin.lock ./
COPY privatechathub privatechathub
COPY chat chat
COPY backends backends
COPY templates templates
COPY static static
ENV PATH=/hub/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
USER hub
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=4)"]
CMD ["sh", "-c", "python manage.py fetch_builtin && exec python manage.py serve"]
