using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Inference.ReadModel;

/// <summary>Everything a request is judged by, immutable and swapped as one. A request pins the snapshot it started with.</summary>
public sealed class Snapshot
{
    /// <summary>Rises with every change; a source never publishes a lower one.</summary>
    public required long Version { get; init; }

    /// <summary>The configuration revision in force, shown by <c>/health/ready</c>.</summary>
    public required string Revision { get; init; }

    public required Registry Registry { get; init; }

    public PolicyBundle Policy { get; init; } = PolicyBundle.None;

    public InferSettings Infer { get; init; } = InferSettings.None;

    /// <summary>Rules that are judged beside those in force and change nothing; null when there are none.</summary>
    public PolicyBundle? ShadowPolicy { get; init; }

    /// <summary>Who is asked after the rules; null asks nobody.</summary>
    public ExternalPolicy? ExternalPolicy { get; init; }

    /// <summary>What every decision under this snapshot rests on, as a JSON object: the revision, the bundle if there is one, and the shadow bundle, which agrees.</summary>
    internal string PolicyInForce => field ??= WritePolicyInForce();

    /// <summary>What requests rest on that declare nothing and meet no rule, of tenants with a region of their own, by the tenant's name; filled by Policy, with one entry a tenant at most.</summary>
    internal ConcurrentDictionary<string, string> UsualEvidence { get; } = new(StringComparer.Ordinal);

    public required FrozenDictionary<string, Tenant> Tenants { get; init; }

    public required KeyTable Keys { get; init; }

    /// <summary>The peppers under which any live secret was digested; the newest first.</summary>
    public required IReadOnlyList<Pepper> Peppers { get; init; }

    internal void WritePolicyInForce(Utf8JsonWriter json)
    {
        json.WriteString("revision"u8, Revision);
        if (Policy != PolicyBundle.None)
        {
            json.WriteString("bundle"u8, Policy.Version);
        }
    }

    private string WritePolicyInForce()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        WritePolicyInForce(json);
        if (ShadowPolicy is { } shadow)
        {
            json.WriteStartObject("shadow"u8);
            json.WriteString("bundle"u8, shadow.Version);
            json.WriteString("outcome"u8, PolicyWords.Agreed);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
