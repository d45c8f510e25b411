using System.Buffers;
using System.Text.Json;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Inference.Policy;

/// <summary>
/// What a decision endpoint is told of a request, <c>{"input": …}</c> as OPA takes it (docs/operations/policy.md): who asks, for what, and the
/// deployments the rules left. Never the prompt, its length, a key or anything of the caller's connection (P8).
/// </summary>
internal static class ExternalQuestion
{
    public static ReadOnlyMemory<byte> Write(Exchange exchange, Decision decision) =>
        Write(exchange.RequestIdText, OperationNames.Of(exchange.Operation), exchange.Caller, exchange.Ask, exchange.Route, decision);

    private static ReadOnlyMemory<byte> Write(string request, string operation, Caller caller, Ask ask, ModelRoute route, Decision decision)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartObject("input"u8);
        json.WriteString("request_id"u8, request);
        json.WriteString("policy_decision_id"u8, decision.Id);
        json.WriteString("tenant"u8, caller.Tenant.Name);
        json.WriteString("project"u8, caller.Project.Name);
        json.WriteString("key_id"u8, caller.Key.Id);
        json.WriteString("tier"u8, caller.Tenant.Tier?.Name);
        json.WriteString("residency"u8, caller.Tenant.Region);
        json.WriteString("operation"u8, operation);
        json.WriteBoolean("stream"u8, ask.Stream);
        json.WriteString("model"u8, ask.Model);
        json.WriteString("route"u8, route.Pattern.ToString());
        PolicyEvidence.WriteDeclared(json, ask.Governance);
        json.WriteStartArray("candidates"u8);
        foreach (var target in route.Targets)
        {
            if (decision.ExclusionOf(target.Deployment) is null)
            {
                WriteCandidate(json, target.Deployment, ask.Model);
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteCandidate(Utf8JsonWriter json, Deployment deployment, string askedModel)
    {
        json.WriteStartObject();
        json.WriteString("deployment"u8, deployment.Name);
        json.WriteString("provider"u8, deployment.Provider.Name);
        json.WriteString("region"u8, deployment.EffectiveRegion);
        json.WriteString("model"u8, deployment.UpstreamModel ?? askedModel);
        json.WriteStartObject("contract"u8);
        foreach (var (fact, isTrue) in deployment.Provider.Contract)
        {
            json.WriteBoolean(fact, isTrue);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
