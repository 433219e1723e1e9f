# Build:  docker build -t llmdash .
# The image holds web, worker and watcher; the command chooses. It runs as a numeric user without rights and writes
# nothing but /tmp, so its root may be read-only.

FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements.lock ./
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY manage.py pyproject.toml README.md LICENSE ./
COPY llmdash llmdash
COPY deployments deployments
COPY monitoring monitoring
COPY templates templates
COPY static static
# The key signs nothing: it is not in the image, and the real one comes from the environment.
RUN SECRET_KEY=build LLMDASH_STATE_DIR=/app/var /venv/bin/python manage.py collectstatic --no-input

FROM python:3.11-slim-bookworm
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=llmdash.settings \
    LLMDASH_STATE_DIR=/app/var
USER 10001:10001
EXPOSE 8000
CMD ["uvicorn", "llmdash.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--timeout-graceful-shutdown", "20", "--no-server-header"]
