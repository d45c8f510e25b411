# The gateway as a replica runs: the same work as gateway.sh on a PostgreSQL and a Redis, both started here on the load's core.
# Neither is the gateway's child, so that its CPU time is its own; they end when it does.
source "$HERE/peers.d/gateway.sh"
POSTGRES_PORT=${POSTGRES_PORT-18191} REDIS_PORT=${REDIS_PORT-18192}
POSTGRES_BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
need() { build && [ -x "$POSTGRES_BIN/postgres" ] && command -v redis-server; }
as_postgres() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; else "$@"; fi; }
PIN=${LOAD_CPUS:+taskset -c $LOAD_CPUS}
stores() {
    local shared; shared=$(mktemp -d /tmp/bench-shared.XXXXXX) && mkdir "$shared/postgres"
    [ "$(id -u)" = 0 ] && chown -R postgres "$shared"
    ( cd /
      as_postgres "$POSTGRES_BIN/initdb" -D "$shared/postgres" -U postgres --auth=trust --no-sync -E UTF8
      as_postgres $PIN "$POSTGRES_BIN/pg_ctl" -D "$shared/postgres" -l "$shared/postgres.log" -w start \
          -o "-p $POSTGRES_PORT -k $shared -c listen_addresses=127.0.0.1 -c shared_buffers=256MB -c max_wal_size=4GB" ) >&2 || return 1
    $PIN redis-server --port "$REDIS_PORT" --bind 127.0.0.1 --save "" --daemonize yes --pidfile "$shared/redis.pid" --dir "$shared" >&2 || return 1
    ( setsid bash -c "while kill -0 $$ 2>/dev/null; do sleep 1; done; kill \$(cat '$shared/redis.pid') \$(head -1 '$shared/postgres/postmaster.pid'); sleep 3; rm -rf '$shared'" < /dev/null > /dev/null 2>&1 & )
    export GATEWAY_POSTGRES="Host=127.0.0.1;Port=$POSTGRES_PORT;Username=postgres;Database=postgres" GATEWAY_REDIS="127.0.0.1:$REDIS_PORT" GATEWAY_PEPPER=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=
    echo "store: { kind: postgres, connection: env:GATEWAY_POSTGRES }"
    echo "limiter: { kind: redis, connection: env:GATEWAY_REDIS }"
    echo "iam: { pepper: env:GATEWAY_PEPPER }"
}
