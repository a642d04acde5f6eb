# Two images from one file: `service` (API, operator command line; no torch inside) and `worker`.
FROM python:3.11-slim AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 1000 rglab
WORKDIR /app
COPY constraints.txt pyproject.toml README.md ./
COPY client client
COPY service service
COPY worker worker
COPY migrations migrations

FROM base AS service
RUN pip install -c constraints.txt ./client '.[service]'
USER rglab
EXPOSE 8000
CMD ["python", "-m", "rgservice", "--host", "0.0.0.0", "--port", "8000"]

FROM base AS worker
RUN pip install -c constraints.txt ./client '.[worker]'
USER rglab
CMD ["python", "-m", "rgworker"]
