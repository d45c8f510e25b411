namespace TokenFactory.Administration.Tests.Configuration;

public sealed class ConfigurationMistakesTests
{
    [Fact]
    public void P12_every_mistake_is_told_at_once_with_its_line_path_and_remedy()
    {
        var reading = Yaml.Read("""
            stores: { kind: sqlite }
            limiter: { kind: redis, connection: env:REDIS }
            providers:
              - { name: gpu, kind: openai, credential: sk-very-secret-literal }
              - { name: gpu, kind: opanai }
            deployments:
              - name: llama
                provider: gpt
                endpoints: []
                usd_per_million: { input: 0.1234567891, output: 1e3 }
              - name: phi
                provider: gpu
                endpoints: [10.0.0.1:8000, http://user:pw@10.0.0.2/v1]
                timeouts: { idle: 30 }
            models:
              - name: a
                deployments: [ { use: lama, weight: 0 } ]
              - match: "a*b"
                deployments: []
            tenants:
              - name: acme
                tier: gold
                keys:
                  - { name: k, project: nowhere, scopes: [inference:chatt], hash: "md5:x" }
            """);

        Assert.Null(reading.Configuration);
        Assert.Equal(
            [
                "gateway.yaml:1:1: stores: unknown key 'stores'; did you mean 'store'?",
                "gateway.yaml:2:37: limiter.connection: the environment variable REDIS is not set: set it, or change the reference",
                "gateway.yaml:4:44: providers[0].credential: secrets are references: env:NAME or file:PATH",
                "gateway.yaml:5:13: providers[1].name: there is a provider named 'gpu' already, at providers[0].name",
                "gateway.yaml:5:24: providers[1].kind: 'opanai' is none of openai, anthropic, loopback, manual; did you mean 'openai'?",
                "gateway.yaml:8:15: deployments[0].provider: there is no provider named 'gpt' (known: gpu, loopback); did you mean 'gpu'?",
                "gateway.yaml:9:16: deployments[0].endpoints: empty: name at least one base URL",
                "gateway.yaml:10:31: deployments[0].usd_per_million.input: write an amount such as 0.15: digits, at most 9 decimals, no exponent, no currency sign",
                "gateway.yaml:10:53: deployments[0].usd_per_million.output: write an amount such as 0.15: digits, at most 9 decimals, no exponent, no currency sign",
                "gateway.yaml:13:17: deployments[1].endpoints[0]: write an absolute URL that starts with http:// or https://",
                "gateway.yaml:13:32: deployments[1].endpoints[1]: a URL holds no credentials: give them as a reference (credential: env:NAME)",
                "gateway.yaml:14:23: deployments[1].timeouts.idle: write a duration such as 250ms, 30s, 5m or 1h",
                "gateway.yaml:17:27: models[0].deployments[0].use: there is no deployment named 'lama' (known: llama, phi, loopback); did you mean 'llama'?",
                "gateway.yaml:17:41: models[0].deployments[0].weight: write a whole number from 1 to 1000000, without quotes or unit",
                "gateway.yaml:18:12: models[1].match: 'a*b' is no model pattern: write a name, prefix*, *suffix, *contains* or *",
                "gateway.yaml:19:18: models[1].deployments: empty: name at least one deployment: [ { use: NAME } ]",
                "gateway.yaml:22:11: tenants[0].tier: there is no tier named 'gold' (none is defined)",
                "gateway.yaml:24:29: tenants[0].keys[0].project: there is no project named 'nowhere' (none is defined)",
                "gateway.yaml:24:47: tenants[0].keys[0].scopes[0]: there is no scope 'inference:chatt'; known: admin:*, audit:read, inference:*, inference:chat, inference:completions, inference:embeddings, inference:moderations, models:read, requests:cancel, requests:read, usage:read; did you mean 'inference:chat'?",
                "gateway.yaml:24:71: tenants[0].keys[0].hash: write hmac-sha256:<pepper version>:<64 hex characters or base64url>, as `gateway admin keys` prints it",
            ],
            reading.Mistakes.Select(m => m.ToString()));
    }

    [Fact]
    public void P8_no_mistake_repeats_a_secret()
    {
        var reading = Yaml.Read("""
            providers:
              - { name: gpu, kind: openai, credential: sk-very-secret-literal }
            tenants:
              - name: acme
                projects: [ { name: search } ]
                keys:
                  - { name: a, project: search, hash: tfk_0123456789 }
                  - { name: b, project: search, secret: plain-secret-text-here }
                  - { name: c, project: search, secret: env:SHORT }
            """, ("SHORT", "short-secret"));

        Assert.Equal(4, reading.Mistakes.Count);
        var told = string.Join('\n', reading.Mistakes);
        Assert.DoesNotContain("sk-very", told, StringComparison.Ordinal);
        Assert.DoesNotContain("tfk_", told, StringComparison.Ordinal);
        Assert.DoesNotContain("plain-secret", told, StringComparison.Ordinal);
        Assert.DoesNotContain("short-secret", told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("store: { kind: ]\nlimiter: {}", 1, "not valid YAML")]
    [InlineData("store: { kind: sqlite }\nstore: { kind: sqlite }", 2, "written twice: line 1")]
    [InlineData("store: &a { kind: sqlite }\nlimiter: *a", 2, "aliases")]
    [InlineData("store: !!map { kind: sqlite }", 1, "tags")]
    [InlineData("- a", 1, "the document is a mapping")]
    [InlineData("store: {}\n---\nlimiter: {}", 2, "one document")]
    [InlineData("store: sqlite", 1, "write a mapping")]
    [InlineData("server: { max_depth: \"64\" }", 1, "without quotes")]
    [InlineData("server: { body_limit: 10 megabytes }", 1, "write a size")]
    [InlineData("server: { body_limit: 100GB }", 1, "from 1KB to 1024MB")]
    [InlineData("iam: { max_staleness: 2h }", 1, "from 2s to 1h")]
    [InlineData("iam: { pepper: env:MISSING }", 1, "the environment variable MISSING is not set")]
    [InlineData("iam: { pepper: file:missing.key }", 1, "the file missing.key does not exist")]
    [InlineData("iam: { mode: standalone, url: https://iam }", 1, "the standalone mode has none")]
    [InlineData("iam: { mode: platfrom }", 1, "did you mean 'platform'?")]
    [InlineData("tenants: [ { name: t, strategy: pinned } ]", 1, "write providers: { prefer: NAME }")]
    [InlineData("tenants: [ { name: t, providers: { prefer: nobody } } ]", 1, "there is no provider named 'nobody'")]
    [InlineData("tenants: [ { name: t, strategy: cheap } ]", 1, "none of weighted, cheapest, quality, least_loaded, fastest, pinned")]
    [InlineData("models: [ { name: m, strategy: pinned, deployments: [ { use: loopback } ] } ]", 1, "none of weighted, cheapest, quality, least_loaded, fastest")]
    [InlineData("limiter: { kind: redis }", 1, "missing: where Redis is")]
    [InlineData("limiter: { kind: redis, connection: 'redis://:pw@host' }", 1, "secrets are references")]
    [InlineData("limiter: { kind: redis, connection: env:MISSING }", 1, "the environment variable MISSING is not set")]
    [InlineData("limiter: { kind: local, when_unavailable: share }", 1, "always available")]
    [InlineData("limiter: { kind: local, connection: env:REDIS }", 1, "a local limiter has no connection")]
    [InlineData("store: { kind: sqlite, connection: env:PG }", 1, "a sqlite store has no connection")]
    [InlineData("sinks: [ { name: q, kind: rabbitmqq, connection: env:Q } ]", 1, "did you mean 'rabbitmq'?")]
    [InlineData("sinks: [ { name: q, kind: rabbitmq } ]", 1, "missing: where RabbitMQ is")]
    [InlineData("sinks: [ { name: q, kind: rabbitmq, connection: 'amqp://u:pw@host' } ]", 1, "secrets are references")]
    [InlineData("sinks: [ { name: q, kind: redis-stream, connection: 'redis://:pw@host', stream: s } ]", 1, "secrets are references")]
    [InlineData("sinks: [ { name: q, kind: file, path: a, stream: s } ]", 1, "unknown key 'stream'")]
    [InlineData("sinks: [ { name: q, kind: cloudevents, url: https://a, timeout: 2m } ]", 1, "from 1s to 60s")]
    [InlineData("tenants: [ { name: 'a b' } ]", 1, "a name has 1 to 64")]
    [InlineData("tenants: [ { name: a, budgets: { usd_per_month: 0 } } ]", 1, "more than 0")]
    [InlineData("providers: [ { name: loopback, kind: openai } ]", 1, "built-in provider")]
    [InlineData("providers: [ { name: loopback, kind: manual } ]", 1, "built-in provider")]
    [InlineData("providers: [ { name: d, kind: manual } ]\ndeployments: [ { name: d, provider: d } ]", 2, "what callers are told when no backend")]
    [InlineData("providers: [ { name: d, kind: manual } ]\ndeployments: [ { name: d, provider: d, answer: no, endpoints: ['http://a/v1'] } ]", 2, "has no endpoints")]
    [InlineData("providers: [ { name: d, kind: manual } ]\ndeployments: [ { name: d, provider: d, answer: no, operations: embeddings } ]", 2, "cannot be written by hand")]
    [InlineData("providers: [ { name: d, kind: openai } ]\ndeployments: [ { name: d, provider: d, answer: no, endpoints: ['http://a/v1'] } ]", 2, "only a deployment of a manual provider")]
    [InlineData("providers: [ { name: d, kind: openai } ]\ndeployments: [ { name: d, provider: d, endpoints: ['http://a/v1'], circuit: { failure_percent: 0 } } ]", 2, "from 1 to 100")]
    [InlineData("providers: [ { name: d, kind: openai } ]\ndeployments: [ { name: d, provider: d, endpoints: ['http://a/v1'], low_quality: { percent: 50 } } ]", 2, "which answers count")]
    [InlineData("providers: [ { name: d, kind: openai } ]\ndeployments: [ { name: d, provider: d, endpoints: ['http://a/v1'], low_quality: { counts: [rude] } } ]", 2, "none of empty, refused, invalid")]
    [InlineData("providers: [ { name: d, kind: manual } ]\ndeployments: [ { name: d, provider: d, answer: x, low_quality: { counts: empty } } ]", 2, "says what it was told to say")]
    [InlineData("providers: [ { name: d, kind: openai } ]\ndeployments: [ { name: d, provider: d, endpoints: ['http://a/v1'], max_rest: 2h } ]", 2, "from 0ms to 1h")]
    [InlineData("providers: [ { name: d, kind: openai } ]\ndeployments: [ { name: d, provider: d, endpoints: ['http://a/v1'], affinity: session } ]", 2, "prefix")]
    [InlineData("providers: [ { name: d, kind: openai } ]\ndeployments: [ { name: d, provider: d, endpoints: ['http://a/v1'], load: { path: 'http://b/metrics' } } ]", 2, "at the endpoint's origin")]
    [InlineData("providers: [ { name: d, kind: openai } ]\ndeployments: [ { name: d, provider: d, endpoints: ['http://a/v1'], load: { interval: 1ms } } ]", 2, "from 200ms to 60s")]
    [InlineData("providers: [ { name: loopback, kind: anthropic } ]", 1, "built-in provider")]
    [InlineData("providers: [ { name: d, kind: anthropic } ]\ndeployments: [ { name: d, provider: d, endpoints: ['http://a/v1'], operations: embeddings } ]", 2, "no completions and no embeddings")]
    [InlineData("providers: [ { name: d, kind: anthropic } ]\ndeployments: [ { name: d, provider: d, endpoints: ['http://a/v1'], continuous_usage: true } ]", 2, "kind anthropic")]
    [InlineData("providers: [ { name: d, kind: openai } ]\ndeployments: [ { name: d, provider: d, endpoints: ['http://a/v1'], max_tokens_member: max } ]", 2, "none of max_tokens, max_completion_tokens")]
    [InlineData("providers: [ { name: d, kind: openai } ]\ndeployments: [ { name: d, provider: d, endpoints: ['http://a/v1'], retry_budget: { percent: 0 } } ]", 2, "from 1 to 1000")]
    [InlineData("infer: { models: { generate: none } }", 1, "there is no model named 'none'")]
    [InlineData("infer: { models: { paint: loopback } }", 1, "unknown key 'paint'")]
    [InlineData("infer: { schemas: [ { id: a, file: no-such.json } ] }", 1, "the file no-such.json does not exist")]
    [InlineData("policy: { external: { timeout: 1s } }", 1, "missing: where the question is posted")]
    [InlineData("policy: { external: { url: http://opa:8181/v1/data/x } }", 1, "use https")]
    [InlineData("policy: { external: { url: 'https://me:pw@opa/v1' } }", 1, "a URL holds no credentials")]
    [InlineData("policy: { external: { url: https://opa, timeout: 3s } }", 1, "from 1ms to 2s")]
    [InlineData("policy: { external: { url: https://opa, on_error: allow } }", 1, "none of deny")]
    [InlineData("policy: { external: { url: https://opa, max_in_flight: 0 } }", 1, "from 1 to 100000")]
    [InlineData("policy: { external: { url: https://opa, credential: literal } }", 1, "secrets are references")]
    [InlineData("policy: { external: { url: https://opa, headers: { X-Token: literal } } }", 1, "secrets are references")]
    [InlineData("policy: { external: { url: https://opa, headers: { Host: env:NAME } } }", 1, "writes this header itself")]
    [InlineData("policy: { external: { url: https://opa, headers: { 'X Token': env:NAME } } }", 1, "no name of an HTTP header")]
    [InlineData("policy: { external: { url: https://opa, ca: file:missing.pem } }", 1, "the file missing.pem does not exist")]
    [InlineData("policy: { external: { url: https://opa, timeouts: 1s } }", 1, "did you mean 'timeout'?")]
    [InlineData("policy: { external: }", 1, "nobody would be asked")]
    [InlineData("sinks: [ { name: q, kind: file, path: a, events: [usages] } ]", 1, "did you mean 'usage'?")]
    [InlineData("policy: { shadow: missing.yaml }", 1, "the file missing.yaml does not exist")]
    public void A_mistake_says_where_it_is_and_what_to_write(string yaml, int line, string says)
    {
        var mistake = Yaml.OnlyMistake(yaml);

        Assert.Equal(line, mistake.Line);
        Assert.Contains(says, mistake.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("store: { kind: postgres }", "env:NAME or file:PATH")]
    [InlineData("store: { kind: postgres, connection: Host=db }", "secrets are references")]
    [InlineData("store: { kind: postgres, connection: env:NO_SUCH_VARIABLE }", "is not set")]
    public void A_mistake_in_the_shared_store_says_what_to_write(string yaml, string says)
    {
        var mistake = Yaml.OnlyMistake(yaml + "\niam: { pepper: env:PEPPER }", ("PEPPER", "a-pepper-of-more-than-thirty-two-bytes"));

        Assert.Equal(1, mistake.Line);
        Assert.Contains(says, mistake.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void P12_replicas_that_would_each_make_a_pepper_do_not_start()
    {
        var mistake = Yaml.OnlyMistake("store: { kind: postgres, connection: env:PG }", ("PG", "Host=db;Database=gateway;Username=me"));

        Assert.Equal("iam.pepper", mistake.Path);
        Assert.Contains("one pepper", mistake.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis://bob:pw@host", "a user other than default")]
    [InlineData("amqp://host", "an unknown scheme")]
    [InlineData("host:6379,no-such-option=1", "no connection to Redis")]
    public void A_connection_to_Redis_that_cannot_be_read_is_refused_without_being_repeated(string connection, string says)
    {
        var mistake = Yaml.OnlyMistake("limiter: { kind: redis, connection: env:REDIS }", ("REDIS", connection));

        Assert.Equal("limiter.connection", mistake.Path);
        Assert.Contains(says, mistake.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(connection, mistake.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_given_twice_is_refused_whichever_tenant_has_it()
    {
        var mistake = Yaml.OnlyMistake("""
            tenants:
              - name: acme
                projects: [ { name: p } ]
                keys: [ { name: k, project: p, secret: env:KEY } ]
              - name: globex
                projects: [ { name: p } ]
                keys: [ { name: k, project: p, secret: env:KEY } ]
            """, ("KEY", "an-opaque-key-of-some-length"));

        Assert.Equal("tenants[1].keys[0].secret", mistake.Path);
        Assert.Contains("tenants[0].keys[0].secret", mistake.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_a_mistake_and_not_an_empty_configuration()
    {
        var reading = TokenFactory.Administration.Configuration.ConfigurationReader.ReadFile(
            "no-such-file.yaml", new Dictionary<string, string>(StringComparer.Ordinal));

        Assert.Null(reading.Configuration);
        Assert.Contains("does not exist", Assert.Single(reading.Mistakes).ToString(), StringComparison.Ordinal);
    }
}
