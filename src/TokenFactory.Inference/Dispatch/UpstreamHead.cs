using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dispatch;

/// <summary>The head of an answer whose body now arrives: what Metering needs to read it.</summary>
/// <param name="IsEventStream">Whether the body is server-sent events.</param>
/// <param name="ContentLength">As the backend declared it; null when it did not.</param>
/// <param name="UsageWasInjected">Whether the caller did not ask for usage on the stream and we did: then it is cut out again.</param>
/// <param name="Converter">Makes the body one of the client's dialect; null when the backend speaks it.</param>
/// <param name="Credential">What the backend was called with: it must not come down in an error that echoes it.</param>
internal sealed record UpstreamHead(bool IsEventStream, string? ContentType, long? ContentLength, bool UsageWasInjected, Secret? Credential, AnswerConverter? Converter = null);
