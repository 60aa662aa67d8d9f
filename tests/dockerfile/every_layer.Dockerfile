# written by flyte-migrate
FROM ghcr.io/flyteorg/flyte:py3.12-v2.12.1
USER root
COPY --from=ghcr.io/astral-sh/uv:0.13.4 /uv /usr/bin/uv
ARG VIRTUALENV=/opt/venv
ARG UV_PYTHON=$VIRTUALENV/bin/python
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy VIRTUALENV=$VIRTUALENV UV_PYTHON=$UV_PYTHON
RUN if [ ! -f "$UV_PYTHON" ]; then uv venv "$VIRTUALENV" --python=3.12 && uv run --python="$UV_PYTHON" python -m compileall "$VIRTUALENV"; fi
ENV PATH="$VIRTUALENV/bin:$PATH:/usr/local/nvidia/bin:/usr/local/cuda/bin" LD_LIBRARY_PATH=/usr/local/nvidia/lib64
# layer 1
LABEL a=b
# layer 2
RUN if ! id -u flyte >/dev/null 2>&1; then useradd --create-home --shell /bin/bash flyte; fi && mkdir -p /home/flyte && chown -R flyte:flyte /home/flyte && chown -R flyte:flyte /root
# layer 3
RUN --mount=type=cache,sharing=locked,mode=0777,target=/var/cache/apt,id=apt --mount=type=secret,id=apt,target=/run/secrets/apt,required=true export APT="$(cat /run/secrets/apt)"; apt-get update && apt-get install -y --no-install-recommends -- git curl 'libx=1.*'
# layer 4
ENV PATH="/opt/x:${PATH}"
ENV Q="a \"b\""
# layer 5
RUN --mount=type=cache,sharing=locked,mode=0777,target=/root/.cache/uv,id=uv --mount=type=bind,source=layer-5/requirements.txt,target=/home/flyte/requirements.txt uv pip install --python "$UV_PYTHON" --requirement /home/flyte/requirements.txt
# layer 6
RUN --mount=type=cache,sharing=locked,mode=0777,target=/root/.cache/uv,id=uv --mount=type=secret,id=token,target=/run/secrets/token,required=true --mount=type=secret,id=g_k,target=/etc/flyte/secrets,required=true export TOKEN="$(cat /run/secrets/token)"; uv pip install --python "$UV_PYTHON" --index-url https://"${USER}":"${TOKEN}"@index/simple --extra-index-url https://other --pre --no-deps --config-setting 'a b' 'pandas>=2' 'x @ git+https://$TOKEN@h/r'
# layer 7
RUN --mount=type=cache,sharing=locked,mode=0777,target=/root/.cache/uv,id=uv --mount=type=bind,source=layer-7/pyproject.toml,target=/home/flyte/pyproject.toml --mount=type=bind,source=layer-7/uv.lock,target=/home/flyte/uv.lock,rw --mount=type=bind,source=layer-7-2,target=/home/flyte/lib,rw VIRTUAL_ENV="${VIRTUAL_ENV-/opt/venv}" uv sync --active --inexact --project /home/flyte --no-install-project
# layer 8
RUN --mount=type=cache,sharing=locked,mode=0777,target=/root/.cache/uv,id=uv --mount=type=bind,source=layer-8,target=/root/.flyte/layer-8,rw VIRTUAL_ENV="${VIRTUAL_ENV-/opt/venv}" uv sync --active --inexact --project /root/.flyte/layer-8 --no-editable
# layer 9
RUN --mount=type=cache,sharing=locked,mode=0777,target=/root/.cache/uv,id=uv uv pip install poetry
ENV POETRY_CACHE_DIR=/tmp/poetry_cache POETRY_VIRTUALENVS_IN_PROJECT=true
RUN --mount=type=cache,sharing=locked,mode=0777,target=/tmp/poetry_cache,id=poetry --mount=type=bind,source=layer-9/poetry.lock,target=/home/flyte/poetry.lock --mount=type=bind,source=layer-9/pyproject.toml,target=/home/flyte/pyproject.toml --mount=type=secret,id=token,target=/run/secrets/token,required=true export TOKEN="$(cat /run/secrets/token)"; VIRTUAL_ENV="${VIRTUAL_ENV-/opt/venv}" poetry install --only main --no-root -C /home/flyte
# layer 10
RUN --mount=type=cache,sharing=locked,mode=0777,target=/root/.cache/uv,id=uv uv pip install poetry
ENV POETRY_CACHE_DIR=/tmp/poetry_cache
RUN --mount=type=cache,sharing=locked,mode=0777,target=/tmp/poetry_cache,id=poetry --mount=type=bind,source=layer-10,target=/root/.flyte/layer-10,rw --mount=type=secret,id=token,target=/run/secrets/token,required=true export TOKEN="$(cat /run/secrets/token)"; VIRTUAL_ENV="${VIRTUAL_ENV-/opt/venv}" poetry install --only main -C /root/.flyte/layer-10
# layer 11
COPY --from=ghcr.io/prefix-dev/pixi:0.72.2 /usr/local/bin/pixi /usr/local/bin/pixi
COPY layer-11/ /opt/pixi-project/
RUN --mount=type=cache,sharing=locked,mode=0777,target=/root/.cache/rattler,id=pixi pixi install --manifest-path /opt/pixi-project/pixi.toml --environment gpu --locked -v
ENV VIRTUAL_ENV=/opt/pixi-project/.pixi/envs/gpu UV_PYTHON=/opt/pixi-project/.pixi/envs/gpu/bin/python PIXI_PROJECT_MANIFEST=/opt/pixi-project/pixi.toml PATH=/opt/pixi-project/.pixi/envs/gpu/bin:$PATH
# layer 12
RUN --mount=type=cache,sharing=locked,mode=0777,target=/root/.cache/uv,id=uv uv pip install --python "$UV_PYTHON" httpx
RUN --mount=type=cache,sharing=locked,mode=0777,target=/var/cache/apt,id=apt apt-get update && apt-get install -y --no-install-recommends -- git
RUN --mount=type=cache,sharing=locked,mode=0777,target=/root/.cache/uv,id=uv --mount=type=bind,source=layer-12,target=/root/.flyte/layer-12,rw VIRTUAL_ENV="${VIRTUAL_ENV-/opt/venv}" uv sync --active --inexact --project /root/.flyte/layer-12 --no-editable
# layer 13
COPY --from=ghcr.io/prefix-dev/pixi:0.72.2 /usr/local/bin/pixi /usr/local/bin/pixi
COPY layer-13/ /opt/pixi-project/
RUN --mount=type=cache,sharing=locked,mode=0777,target=/root/.cache/rattler,id=pixi pixi install --manifest-path /opt/pixi-project/pixi.toml --environment default
ENV VIRTUAL_ENV=/opt/pixi-project/.pixi/envs/default UV_PYTHON=/opt/pixi-project/.pixi/envs/default/bin/python PIXI_PROJECT_MANIFEST=/opt/pixi-project/pixi.toml PATH=/opt/pixi-project/.pixi/envs/default/bin:$PATH
# layer 14
COPY --chown=flyte:flyte ["layer-14/requirements.txt", "."]
# layer 15
RUN --mount=type=bind,source=layer-15,target=/run/flyte/copy to='/a b/'; name='odd name*.txt'; if true; then mkdir -p "$to"; to="${to%/}/$name"; else mkdir -p "$(dirname "$to")"; fi; cp "/run/flyte/copy/$name" "$to" && chown flyte:flyte "$to"
# layer 16
COPY --chown=flyte:flyte ["layer-16/", "/root/data"]
# layer 17
RUN --mount=type=secret,id=token,target=/run/secrets/token,required=true export TOKEN="$(cat /run/secrets/token)"; a &&   b
RUN --mount=type=secret,id=token,target=/run/secrets/token,required=true eval "$(printf '%b' 'export TOKEN="$(cat /run/secrets/token)"; one\0012two')"
# layer 18
WORKDIR "/root/w"
# layer 19
RUN --mount=type=cache,sharing=locked,mode=0777,target=/root/.cache/uv,id=uv --mount=type=bind,source=layer-19/requirements.txt,target=/root/w/requirements.txt uv pip install --python "$UV_PYTHON" --requirement /root/w/requirements.txt
# the end of every image
USER flyte
WORKDIR /home/flyte
ENV _F_IMG_ID="ghcr.io/me/name:tag"
SHELL ["/bin/bash", "-c"]
