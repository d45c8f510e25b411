using System.Text;
using TokenFactory.Administration.Secrets;
using TokenFactory.Inference.ReadModel.Addresses;

namespace TokenFactory.Administration.Tests.Configuration;

/// <summary>A tenant's own provider, as it is written: who owns it, where it may be, and a credential that opens for it alone.</summary>
public sealed class OwnProviderTests
{
    private const string Secret = "sk-the-secret-of-acme";
    private const string Tenants = "tenants: [ { name: acme }, { name: rival } ]\n";

    private static readonly string _key = Convert.ToBase64String(new byte[32]);
    private static readonly string _newKey = Convert.ToBase64String([.. Enumerable.Repeat((byte)7, 32)]);

    [Fact]
    public void A_tenants_provider_is_its_own_and_at_public_addresses()
    {
        var configuration = Yaml.Valid(Tenants + """
            providers:
              - { name: acme-llm, kind: openai, tenant: acme, credential: env:KEY, allow_addresses: [10.20.0.0/16, 10.9.8.7, 'fd12::/32'] }
              - { name: vendor, kind: openai, connect: public }
              - { name: gpu, kind: openai }
            """, ("KEY", Secret));

        var own = configuration.Providers.Single(one => one.Name == "acme-llm");
        Assert.Equal(("acme", true, "10.20.0.0/16 10.9.8.7/32 fd12::/32"), (own.Tenant, own.IsCustomerOwned, own.Reach!.ToString()));
        Assert.Null(own.CredentialOrigins);
        var vendor = configuration.Providers.Single(one => one.Name == "vendor");
        Assert.Equal((null, false, ""), (vendor.Tenant, vendor.IsCustomerOwned, vendor.Reach!.ToString()));
        Assert.Null(configuration.Providers.Single(one => one.Name == "gpu").Reach);
    }

    [Theory]
    [InlineData("tenant: acmee", "there is no tenant named 'acmee' (known: acme, rival, default); did you mean 'acme'?")]
    [InlineData("tenant: 'a b'", "a name has 1 to 64")]
    [InlineData("tenant: acme, connect: any", "permit the networks that it is in besides with allow_addresses")]
    [InlineData("tenant: acme, connect: private", "none of public, any")]
    [InlineData("tenant: acme, allow_addresses: [10.20.0.1/16]", "with zeros behind the prefix")]
    [InlineData("tenant: acme, allow_addresses: [internal]", "with zeros behind the prefix")]
    [InlineData("tenant: acme, allow_addresses: [012.0.0.0/8]", "with zeros behind the prefix")]
    [InlineData("tenant: acme, allow_addresses: ['::ffff:10.0.0.0/104']", "with zeros behind the prefix")]
    [InlineData("tenant: acme, allow_addresses: [0.0.0.0/0]", "wider than /8")]
    [InlineData("tenant: acme, allow_addresses: [169.254.169.254]", "cloud metadata, which cannot be permitted")]
    [InlineData("tenant: acme, allow_http: perhaps", "true or false")]
    [InlineData("allow_http: true", "without connect: public this provider may be at any address")]
    [InlineData("allow_addresses: [10.0.0.0/8]", "without connect: public this provider may be at any address")]
    [InlineData("tenants: acme", "did you mean 'tenant'?")]
    public void P12_a_mistake_in_a_tenants_provider_says_what_to_write(string members, string says) =>
        Assert.Contains(says, Yaml.OnlyMistake($$"""{{Tenants}}providers: [ { name: own, kind: openai, {{members}} } ]""").Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("providers: [ { name: desk, kind: manual, tenant: acme, allow_http: true } ]", "answers inside the gateway")]
    [InlineData("providers: [ { name: loopback, kind: loopback, tenant: acme } ]", "every tenant's")]
    public void What_answers_inside_connects_to_nothing(string yaml, string says) => Assert.Contains(says, Yaml.OnlyMistake(Tenants + yaml).Message, StringComparison.Ordinal);

    [Fact]
    public void The_installations_own_tenant_may_have_providers_of_its_own() =>
        Assert.Equal("default", Yaml.Valid("providers: [ { name: own, kind: openai, tenant: default } ]").Providers[0].Tenant);

    [Theory]
    [InlineData("allow: [acme-llm]")]
    [InlineData("prefer: acme-llm")]
    public void P9_no_tenants_policy_counts_on_anothers_provider(string providers) => Assert.Contains(
        "another tenant's own provider",
        Yaml.OnlyMistake($$"""
            providers: [ { name: acme-llm, kind: openai, tenant: acme } ]
            tenants: [ { name: acme, providers: { {{providers}} } }, { name: rival, providers: { {{providers}} } } ]
            """).Message,
        StringComparison.Ordinal);

    [Fact]
    public void P9_no_tenants_own_model_is_everybodys_default() => Assert.Contains(
        "is a tenant's own",
        Yaml.OnlyMistake(Own("tenant: acme", "https://llm.acme.example/v1") + """

            models: [ { name: acme-large, deployments: [ { use: own } ] }, { name: mixed, deployments: [ { use: own }, { use: loopback } ] } ]
            infer: { models: { generate: acme-large, classify: mixed } }
            """).Message,
        StringComparison.Ordinal);

    /// <summary>What a URL's reader would make an address of this machine, its network or its cloud of, each in its spelling.</summary>
    [Theory]
    [InlineData("https://127.0.0.1/v1", "loopback")]
    [InlineData("https://10.0.0.5:8000/v1", "private")]
    [InlineData("https://169.254.169.254/latest/meta-data", "cloud metadata")]
    [InlineData("https://100.100.100.200/v1", "cloud metadata")]
    [InlineData("https://0.0.0.0/v1", "this network")]
    [InlineData("https://[::1]/v1", "loopback")]
    [InlineData("https://[::ffff:127.0.0.1]/v1", "loopback")]
    [InlineData("https://[::ffff:7f00:1]/v1", "loopback")]
    [InlineData("https://[64:ff9b::7f00:1]/v1", "loopback")]
    [InlineData("https://[2002:7f00:1::]/v1", "6to4")]
    [InlineData("https://[fd00:ec2::254]/v1", "cloud metadata")]
    [InlineData("https://[fe80::1]/v1", "link-local")]
    [InlineData("https://2130706433/v1", "four decimal numbers")]
    [InlineData("https://0x7f000001/v1", "four decimal numbers")]
    [InlineData("https://017700000001/v1", "four decimal numbers")]
    [InlineData("https://0177.0.0.1/v1", "four decimal numbers")]
    [InlineData("https://0x7f.0.0.1/v1", "four decimal numbers")]
    [InlineData("https://127.1/v1", "four decimal numbers")]
    [InlineData("https://127.0.1/v1", "four decimal numbers")]
    [InlineData("https://10.5/v1", "four decimal numbers")]
    [InlineData("https://1.2.3.4.5/v1", "four decimal numbers")]
    [InlineData("https://256.256.256.256/v1", "four decimal numbers")]
    [InlineData("https://127.0.0.1./v1", "without the dot")]
    [InlineData("https://llm.acme.example./v1", "without the dot")]
    [InlineData("https://localhost/v1", "full name")]
    [InlineData("https://LOCALHOST:8000/v1", "full name")]
    [InlineData("https://api.localhost/v1", "full name")]
    [InlineData("https://vllm:8000/v1", "full name")]
    [InlineData("https://１２７.0.0.1/v1", "international name")]
    [InlineData("https://ⓛocalhost/v1", "international name")]
    [InlineData("https://münchen.example/v1", "international name")]
    [InlineData("http://llm.acme.example/v1", "use https")]
    [InlineData("https://user:pw@llm.acme.example/v1", "holds no credentials")]
    [InlineData("https://llm.acme.example@127.0.0.1/v1", "holds no credentials")]
    [InlineData("https://llm.acme.example/v1#@127.0.0.1", "no query and no fragment")]
    [InlineData("https://llm.acme.example/v1?x=1", "no query and no fragment")]
    [InlineData("ftp://llm.acme.example/v1", "starts with http:// or https://")]
    [InlineData("//127.0.0.1/v1", "starts with http:// or https://")]
    [InlineData("file:///etc/passwd", "starts with http:// or https://")]
    public void P9_a_tenants_endpoint_is_a_public_name_or_address_as_it_is_written(string url, string says)
    {
        var reading = Yaml.Read(Own("tenant: acme", url));

        Assert.Null(reading.Configuration);
        Assert.Contains(reading.Mistakes, mistake => mistake.Path == "deployments[0].endpoints[0]" && mistake.Message.Contains(says, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https:\\\\127.0.0.1\\v1")]
    [InlineData("https:/\\127.0.0.1/v1")]
    [InlineData("https://%31%32%37.0.0.1/v1")]
    [InlineData("https://127。0。0。1/v1")]
    [InlineData("https://[fe80::1%25eth0]/v1")]
    [InlineData("https://[::ffff:10.0.0.1]:8000/v1")]
    [InlineData("https://a..b/v1")]
    [InlineData("https://.example.com/v1")]
    [InlineData(" https://127.0.0.1/v1")]
    public void P9_no_odd_spelling_passes(string url) => Assert.Null(Yaml.Read(Own("tenant: acme", url)).Configuration);

    [Theory]
    [InlineData("tenant: acme", "https://llm.acme.example/v1")]
    [InlineData("tenant: acme", "https://LLM.Acme.example:8443/openai/v1/")]
    [InlineData("tenant: acme", "https://xn--mnchen-3ya.example/v1")]
    [InlineData("tenant: acme", "https://8.8.8.8/v1")]
    [InlineData("tenant: acme", "https://[2606:4700:4700::1111]/v1")]
    [InlineData("tenant: acme, allow_http: true", "http://llm.acme.example/v1")]
    [InlineData("tenant: acme, allow_http: true, allow_addresses: [127.0.0.1]", "http://127.0.0.1:8000/v1")]
    [InlineData("tenant: acme, allow_addresses: [10.20.0.0/16]", "https://10.20.3.4/v1")]
    [InlineData("connect: public", "https://llm.acme.example/v1")]
    [InlineData("region: eu", "http://vllm:8000/v1")]
    [InlineData("region: eu", "http://10.0.0.5:8000/v1")]
    public void What_is_public_or_permitted_or_the_operators_own_is_taken(string members, string url) => Yaml.Valid(Own(members, url));

    [Fact]
    public void A_sealed_credential_opens_for_its_provider_and_its_origins()
    {
        var credential = Seal("acme", "own", "https://llm.acme.example");

        var own = Yaml.Valid(WithKeys($"tenant: acme, credential: '{credential}'", "https://llm.acme.example/v1"), ("SEAL", _key)).Providers[0];

        Assert.Equal(Secret, own.Credential!.Reveal());
        Assert.Equal(["https://llm.acme.example:443"], own.CredentialOrigins!.Select(one => one.ToString()));
        Assert.DoesNotContain(Secret, own.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_operators_own_providers_may_have_sealed_credentials_too() => Assert.Equal(
        Secret, Yaml.Valid(WithKeys($"credential: '{Seal(null, "own", "http://10.0.0.5:8000")}'", "http://10.0.0.5:8000/v1"), ("SEAL", _key)).Providers[0].Credential!.Reveal());

    [Fact]
    public void P8_a_sealed_text_that_was_copied_elsewhere_does_not_open()
    {
        const string endpoint = "https://llm.acme.example/v1";
        Refused("tenant: acme", Seal("acme", "other", "https://llm.acme.example"), "it was sealed for provider 'other' of tenant 'acme'");
        Refused("tenant: acme", Seal("rival", "own", "https://llm.acme.example"), "it was sealed for provider 'own' of tenant 'rival'");
        Refused("tenant: acme", Seal(null, "own", "https://llm.acme.example"), "it was sealed for provider 'own' of the operator");
        Refused("region: eu", Seal("acme", "own", "https://llm.acme.example"), "it was sealed for provider 'own' of tenant 'acme'");
        Refused("tenant: acme", Seal("acme", "own", "https://other.acme.example"), "was sealed for https://other.acme.example:443: seal it again with --origin https://llm.acme.example:443");
        Refused("tenant: acme", Seal("acme", "own", "https://llm.acme.example:8443"), "was sealed for https://llm.acme.example:8443");
        Refused("tenant: acme", Seal("acme", "own", "http://llm.acme.example:443"), "was sealed for http://llm.acme.example:443");

        static void Refused(string members, string credential, string says)
        {
            var mistake = Yaml.OnlyMistake(WithKeys($"{members}, credential: '{credential}'", endpoint), ("SEAL", _key));
            Assert.Contains(says, mistake.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, mistake.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("providers: [ { name: own, kind: openai, credential: 'sealed:v1:AQAA' } ]", "no sealed text")]
    [InlineData("providers: [ { name: own, kind: openai, credential: env:SEALED } ]", "write the sealed text itself here")]
    [InlineData("iam: { pepper: 'sealed:v1:AQAA' }", "a sealed text is the credential of the provider")]
    [InlineData("secrets: { keys: { v2: env:SEAL, v1: env:SEAL } }", "a new version needs a new key")]
    [InlineData("secrets: { keys: { v1: env:SHORT } }", "32 random bytes")]
    [InlineData("secrets: { keys: { v1: 'literal' } }", "secrets are references")]
    [InlineData("secrets: { keys: { 'v 1': env:SEAL } }", "1 to 16 letters and digits")]
    [InlineData("secrets: { key: env:SEAL }", "did you mean 'keys'?")]
    public void P12_a_mistake_with_sealed_secrets_says_what_to_write(string yaml, string says) =>
        Assert.Contains(says, Yaml.OnlyMistake(yaml, ("SEAL", _key), ("SHORT", "c2hvcnQ="), ("SEALED", "sealed:v1:AQAA")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_new_key_before_the_old_one_opens_what_the_old_one_sealed()
    {
        var credential = Seal("acme", "own", "https://llm.acme.example");
        var yaml = Own($"tenant: acme, credential: '{credential}'", "https://llm.acme.example/v1");

        var both = Yaml.Valid("secrets: { keys: { v2: env:NEW, v1: env:SEAL } }\n" + yaml, ("SEAL", _key), ("NEW", _newKey));
        Assert.Equal((Secret, "v2 v1"), (both.Providers[0].Credential!.Reveal(), string.Join(' ', both.Secrets.Versions)));
        var rewrapped = both.Secrets.Rewrap(credential).Text!;
        Assert.Equal(Secret, Yaml.Valid("secrets: { keys: { v2: env:NEW } }\n" + yaml.Replace(credential, rewrapped, StringComparison.Ordinal), ("NEW", _newKey)).Providers[0].Credential!.Reveal());
        Assert.Contains("another version", Yaml.OnlyMistake("secrets: { keys: { v2: env:NEW } }\n" + yaml, ("NEW", _newKey)).Message, StringComparison.Ordinal);
    }

    private static string WithKeys(string members, string url) => "secrets: { keys: { v1: env:SEAL } }\n" + Own(members, url);

    private static string Own(string members, string url) => $$"""
        {{Tenants}}providers: [ { name: own, kind: openai, {{members}} } ]
        deployments: [ { name: own, provider: own, endpoints: ['{{url}}'] } ]
        """;

    private static string Seal(string? tenant, string provider, string origin) => new SecretKeyring([new SecretKey("v1", Convert.FromBase64String(_key))])
        .Seal(new SecretBinding(tenant, provider, [EndpointOrigin.Of(new Uri(origin))]), Encoding.UTF8.GetBytes(Secret));
}
