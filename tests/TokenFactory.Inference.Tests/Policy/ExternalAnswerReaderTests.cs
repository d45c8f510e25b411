using System.Text;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using Xunit;

namespace TokenFactory.Inference.Tests.Policy;

/// <summary>P4: what a decision endpoint answers is a yes only where it clearly says so.</summary>
public sealed class ExternalAnswerReaderTests
{
    [Theory]
    [InlineData("""{"result":true}""")]
    [InlineData("""{"result":{"allow":true}}""")]
    [InlineData("""{"result":{"allow":true,"deny":[],"helper_rule":{"of":"the package"}},"metrics":{"timer":1}}""")]
    public void A_clear_yes_is_a_yes(string answer)
    {
        var read = Read(answer);

        Assert.Equal(("allowed", null), (read.Word, read.Refusal));
    }

    [Theory]
    [InlineData("""{"result":false}""", "external_denied")]
    [InlineData("""{"result":{}}""", "external_denied")]
    [InlineData("""{"result":{"allow":false}}""", "external_denied")]
    [InlineData("""{"result":{"allow":true,"deny":["NO_DPA","TIER"]}}""", "NO_DPA, TIER")]
    [InlineData("""{"result":{"deny":["NO_DPA"]}}""", "NO_DPA")]
    [InlineData("""{"result":{"allow":null}}""", "external_denied")]
    [InlineData("{}", "external_undefined")]
    [InlineData("""{"result":null}""", "external_undefined")]
    [InlineData("""{"decision_id":"d"}""", "external_undefined")]
    public void P4_Whatever_does_not_allow_denies_with_its_codes(string answer, string codes)
    {
        var refusal = Read(answer).Refusal!;

        Assert.Equal((403, "policy_denied"), (refusal.Status, refusal.Code));
        Assert.Contains($": {codes}.", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("yes")]
    [InlineData("[]")]
    [InlineData("true")]
    [InlineData("""{"result":true}{"result":true}""")]
    [InlineData("""{"result":true""")]
    [InlineData("""{"result":"true"}""")]
    [InlineData("""{"result":1}""")]
    [InlineData("""{"result":[true]}""")]
    [InlineData("""{"result":false,"result":true}""")]
    [InlineData("""{"result":{"allow":"true"}}""")]
    [InlineData("""{"result":{"allow":true,"deny":"no"}}""")]
    [InlineData("""{"result":{"allow":true,"deny":null}}""")]
    [InlineData("""{"result":{"allow":true,"restrict":null}}""")]
    [InlineData("{\"result\":{\"allow\":true,\"decision_id\":\"\\ud800\"}}")]
    [InlineData("""{"result":{"allow":true,"deny":[1]}}""")]
    [InlineData("""{"result":{"allow":true,"deny":["two\nlines"]}}""")]
    [InlineData("""{"result":{"allow":true,"restrict":["eu"]}}""")]
    [InlineData("""{"result":{"allow":true,"restrict":{"provider":["eu"]}}}""")]
    [InlineData("""{"result":{"allow":true,"restrict":{"providers":"eu"}}}""")]
    [InlineData("""{"result":{"allow":true,"restrict":{"providers":null}}}""")]
    [InlineData("""{"result":{"allow":true,"decision_id":""}}""")]
    public void P4_What_is_not_understood_is_no_answer(string answer)
    {
        var refusal = Read(answer).Refusal!;

        Assert.Equal((503, "policy_unavailable"), (refusal.Status, refusal.Code));
        Assert.NotNull(refusal.RetryAfter);
    }

    [Theory]
    [InlineData("""{"providers":["gpu"]}""", null)]
    [InlineData("""{"providers":["gpu"],"regions":["eu"],"deployments":["llama"],"models":["llama-8b"]}""", null)]
    [InlineData("{}", null)]
    [InlineData("""{"providers":[]}""", "external_provider")]
    [InlineData("""{"providers":["GPU"]}""", "external_provider")]
    [InlineData("""{"regions":["us","eu-north"]}""", "external_region")]
    [InlineData("""{"regions":[]}""", "external_region")]
    [InlineData("""{"deployments":["other"]}""", "external_deployment")]
    [InlineData("""{"models":["asked"]}""", "external_model")]
    public void P6_A_restriction_leaves_out_what_it_does_not_name_and_an_empty_list_names_nothing(string restrict, string? reason)
    {
        var deployment = new Deployment { Name = "llama", Provider = new Provider("gpu", ProviderKind.OpenAi, "eu-west-1", null), Endpoints = [], UpstreamModel = "llama-8b" };

        Assert.Equal(reason, Read("{\"result\":{\"allow\":true,\"restrict\":" + restrict + "}}").ReasonAgainst(deployment, "asked"));
    }

    [Theory]
    [InlineData("""{"result":true,"decision_id":"logged"}""", "logged")]
    [InlineData("""{"result":{"allow":false,"decision_id":"own"},"decision_id":"logged"}""", "own")]
    [InlineData("""{"result":true}""", null)]
    public void The_endpoints_own_name_of_its_decision_is_kept(string answer, string? id) => Assert.Equal(id, Read(answer).DecisionId);

    private static ExternalAnswer Read(string answer) => ExternalAnswerReader.Read("http://opa", Encoding.UTF8.GetBytes(answer));
}
