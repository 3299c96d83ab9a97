FROM python:3.13-slim AS build
COPY requirements/runtime.txt /tmp/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/runtime.txt

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data chorus
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DEBUG=0 DATA_DIR=/data
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . .
# These values serve for this one command and are not kept: a running site brings its own.
RUN SECRET_KEY=build ALLOWED_HOSTS=build REDIS_URL=memory:// python manage.py collectstatic --noinput
USER chorus
EXPOSE 8000
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"]
