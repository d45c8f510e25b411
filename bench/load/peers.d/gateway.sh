# The gateway itself, everything on: key, limits, budgets, policy, metering, durable journal, file sink.
# `stores` prints what else its configuration says; gateway-shared.sh has its own.
DLL=$HERE/../../artifacts/bin/TokenFactory.Gateway/release/gateway.dll
build() { dotnet build "$HERE/../../src/TokenFactory.Gateway" -c Release --nologo -v quiet && [ -f "$DLL" ]; }
need() { build; }
stores() { :; }
start() {
    local data; data=$(mktemp -d "$RUN/gateway.XXXXXX")
    stores > "$data/stores.yaml" || exit 1
    cat > "$data/gateway.yaml" <<YAML
providers:
  - { name: mock, kind: openai, region: eu-west-1 }
deployments:
  - { name: mock, provider: mock, endpoints: ["$UPSTREAM/v1"], usd_per_million: { input: 0.15, output: 0.60 } }
models:
  - { match: "mock*", deployments: [ { use: mock } ] }
tiers:
  - { name: standard, limits: { requests_per_minute: 10000000, tokens_per_minute: 1000000000, concurrent: 100000 } }
tenants:
  - name: bench
    tier: standard
    region: eu
    projects:
      - { name: load, budgets: { tokens_per_month: 1000000000000, usd_per_month: 100000000 } }
    keys:
      - { name: bench, project: load, scopes: [inference:chat], secret: env:BENCH_KEY }
telemetry: { log_level: ${GATEWAY_LOG_LEVEL:-information} }
$(cat "$data/stores.yaml")
YAML
    export BENCH_KEY=$API_KEY
    exec dotnet "$DLL" serve --data "$data/data" --config "$data/gateway.yaml" --urls "http://127.0.0.1:$PORT"
}
