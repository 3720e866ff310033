# The app for others: docs/running-for-others.md. Build: docker build -t lgr-explorer .
FROM python:3.11-slim

# openai and huggingface_hub use the certificates of the system.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libxrender1 libxext6 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --uid 10001 lgr \
 && install -d -o lgr -g lgr /home/lgr/data

WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -c constraints.txt .

USER lgr
ENV LGR_HOME=/home/lgr/data \
    LGR_UPLOADS=0 \
    PYTHONUNBUFFERED=1
VOLUME /home/lgr/data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:8501/' + (os.environ.get('STREAMLIT_SERVER_BASE_URL_PATH', '') + '/_stcore/health').lstrip('/'), timeout=4)"]
WORKDIR /home/lgr
CMD ["lgr", "app", "--address", "0.0.0.0", "--port", "8501"]
