# The page in a container, without a GPU: docker build -t gnet . && docker run -p 7860:7860 gnet
# Once it is built it needs no network. Its user is nobody else's, and cannot change the program;
# runs go to /runs.
FROM python:3.12-slim

RUN useradd --create-home gnet && mkdir /runs && chown gnet /runs
WORKDIR /app

# PyTorch first and from its own index alone: the default one gives it with 5 GB of CUDA, and of two
# indexes the newer version would win.
COPY requirements.txt ./
# What only PyTorch's own tests and C++ programs need is removed in the same step.
RUN grep '^torch' requirements.txt | pip install --no-cache-dir \
    --index-url https://download.pytorch.org/whl/cpu -r /dev/stdin \
    && cd "$(python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')/torch" \
    && rm -rf test include bin/test_* bin/*Test*
RUN pip install --no-cache-dir -r requirements.txt

COPY LICENSE app.py ./
COPY assets assets
COPY gnet gnet
# Its user may not write here, so Python could not keep what it compiles at each start.
RUN python -m compileall -q app.py gnet

USER gnet
VOLUME /runs
EXPOSE 7860
HEALTHCHECK --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz', timeout=5)"]
CMD ["python", "app.py", "--host", "0.0.0.0", "--runs-folder", "/runs"]
