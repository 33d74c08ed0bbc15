FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY src ./src
RUN python -m venv /opt/sales-ledger \
    && /opt/sales-ledger/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/sales-ledger --create-home ledger
COPY --from=build /opt/sales-ledger /opt/sales-ledger
ENV PATH=/opt/sales-ledger/bin:$PATH PYTHONUNBUFFERED=1
USER ledger
WORKDIR /var/lib/sales-ledger
VOLUME /var/lib/sales-ledger
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
ENTRYPOINT ["sales-ledger"]
CMD ["serve", "--host", "127.0.0.1", "--port", "8000"]
