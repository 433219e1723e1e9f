# Build:  docker build -t llmdash .
# One image for web, worker, watcher and migration; the command chooses. It runs as a numeric user without rights. Its
# root may be read-only: what is written goes to /tmp and, without PostgreSQL and Redis, to the volume /state.

FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN python -m venv --without-pip /venv
COPY requirements.lock ./
RUN pip --python /venv/bin/python install --no-cache-dir --require-hashes -r requirements.lock
COPY manage.py pyproject.toml README.md LICENSE ./
COPY llmdash llmdash
COPY deployments deployments
COPY monitoring monitoring
COPY templates templates
COPY static static
RUN printf '#!/bin/sh\nexec python -m llmdash.cli "$@"\n' > /venv/bin/llmdash && chmod 755 /venv/bin/llmdash
# The key signs nothing: it is not in the image, and the real one comes from the environment.
RUN SECRET_KEY=build LLMDASH_STATIC_DIR=/app/staticfiles /venv/bin/python manage.py collectstatic --no-input \
    && /venv/bin/python -m compileall -q llmdash deployments monitoring

FROM python:3.11-slim-bookworm
# Nothing here installs anything any more.
RUN pip uninstall --yes --quiet setuptools wheel pip \
    && install -d -o 10001 -g 10001 -m 700 /state
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=llmdash.settings \
    LLMDASH_STATIC_DIR=/app/staticfiles \
    LLMDASH_STATE_DIR=/state
USER 10001:10001
VOLUME /state
EXPOSE 8000
# The worker and the watcher answer when LLMDASH_METRICS_PORT is set.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 CMD ["python", "-m", "llmdash.probe"]
CMD ["uvicorn", "llmdash.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--timeout-graceful-shutdown", "20", "--no-server-header", "--no-proxy-headers"]
