using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel.Policies;
using TokenFactory.TestKit.Policies;
using TokenFactory.TestKit.Processes;
using Xunit;

namespace TokenFactory.Inference.Tests.Policy;

/// <summary>P4 and P10: the decision endpoint is asked within bounds, and whatever goes wrong is an outcome that refuses.</summary>
public sealed class DecisionEndpointTests : IDisposable
{
    private static readonly byte[] _question = "{\"input\":{}}"u8.ToArray();

    private readonly ServiceProvider _services = new ServiceCollection().AddGatewayMetrics().BuildServiceProvider();
    private readonly DecisionEndpoint _endpoint;

    public DecisionEndpointTests() => _endpoint = new DecisionEndpoint(_services.GetRequiredService<GatewayMetrics>(), TimeProvider.System, NullLogger<DecisionEndpoint>.Instance);

    public void Dispose()
    {
        _endpoint.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task P4_Nobody_there_is_no_yes()
    {
        var answer = await AskAsync(new ExternalPolicy { Url = new Uri($"http://127.0.0.1:{FreePort.Next()}/"), Timeout = TimeSpan.FromSeconds(2) });

        Assert.Equal("unreachable", answer.Word);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task P10_An_answer_that_is_too_long_is_not_read_to_its_end(bool chunked)
    {
        await using var fake = await FakeDecisionEndpoint.StartAsync();
        fake.IsChunked = chunked;
        fake.Answer = _ => $$"""{"padding":"{{new string('x', 64 << 10)}}","result":true}""";
        var tooLarge = await AskAsync(To(fake));
        fake.Answer = _ => $$"""{"padding":"{{new string('x', 60 << 10)}}","result":true}""";

        Assert.Equal("too_large", tooLarge.Word);
        Assert.Equal("allowed", (await AskAsync(To(fake))).Word);
    }

    [Fact]
    public async Task P10_What_comes_beside_as_many_questions_as_may_be_is_refused_at_once()
    {
        await using var fake = await FakeDecisionEndpoint.StartAsync();
        fake.Silence = new TaskCompletionSource();
        var settings = To(fake) with { MaxInFlight = 1, Timeout = TimeSpan.FromMinutes(1) };
        var first = AskAsync(settings);

        var second = await AskAsync(settings);
        fake.Silence.SetResult();

        Assert.Equal("busy", second.Word);
        Assert.Equal("allowed", (await first).Word);
        Assert.Equal("allowed", (await AskAsync(settings)).Word);
    }

    [Fact]
    public async Task P4_An_endpoint_is_trusted_by_the_authorities_that_were_named_and_by_no_others()
    {
        using var authority = Authority();
        using var certificate = SignedBy(authority);
        using var other = Authority();
        await using var fake = await FakeDecisionEndpoint.StartAsync(certificate);

        Assert.Equal("allowed", (await AskAsync(To(fake) with { Authorities = [Public(authority)] })).Word);
        Assert.Equal("unreachable", (await AskAsync(To(fake) with { Authorities = [Public(other)] })).Word);
        Assert.Equal("unreachable", (await AskAsync(To(fake))).Word);
        Assert.Single(fake.Questions);
    }

    [Fact]
    public async Task A_caller_that_goes_away_is_not_a_failure_of_the_endpoint()
    {
        await using var fake = await FakeDecisionEndpoint.StartAsync();
        fake.Silence = new TaskCompletionSource();
        using var gone = new CancellationTokenSource();
        var asked = _endpoint.AskAsync(To(fake) with { Timeout = TimeSpan.FromMinutes(1) }, _question, gone.Token);
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
    }

    private static ExternalPolicy To(FakeDecisionEndpoint fake) => new() { Url = fake.Url, Timeout = TimeSpan.FromSeconds(20) };

    private Task<ExternalAnswer> AskAsync(ExternalPolicy settings) => _endpoint.AskAsync(settings, _question, CancellationToken.None);

    private static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    private static X509Certificate2 SignedBy(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=opa", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var signed = request.Create(authority, now.AddHours(-1), now.AddHours(1), [1, 2, 3]);
        return signed.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 Public(X509Certificate2 certificate) => X509CertificateLoader.LoadCertificate(certificate.RawData);
}
