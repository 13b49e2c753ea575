# Ritme in a container: the same steps as `make setup`, and no tool that is not in the lock file.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
WORKDIR /srv/ritme
COPY requirements.lock ./
RUN python -m venv .venv \
    && .venv/bin/python -m pip --disable-pip-version-check --no-cache-dir install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY adapters adapters
COPY prompts prompts
COPY migrations migrations
RUN .venv/bin/python -m pip --disable-pip-version-check --no-cache-dir install --no-deps --no-build-isolation -e . \
    && .venv/bin/python -m compileall -q bot adapters migrations \
    && .venv/bin/python -c "from bot import understanding, wording; wording.load_templates(); understanding.load_books()" \
    && chmod -R a+rX bot/__pycache__

FROM python:${PYTHON}-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin ritme \
    && install --directory --owner=ritme --group=ritme /data
COPY --from=build /srv/ritme /srv/ritme
ENV PATH=/srv/ritme/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RITME_HOST=0.0.0.0 \
    RITME_DATABASE_URL=sqlite:////data/ritme.db
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
# There is no curl in here; and a proxy of this network has no business with it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; port = os.environ.get('RITME_PORT') or os.environ.get('PORT') or '8080'; web.build_opener(web.ProxyHandler({})).open(f'http://127.0.0.1:{port}/healthz', timeout=3)"]
CMD ["ritme", "serve"]
