using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference;

/// <summary>Left on a request whose body the gateway itself wrote in OpenAI's dialect, out of one that has a contract of its own.</summary>
/// <param name="IsJudged">Whoever wrote it looks at the form of the answer.</param>
internal sealed record Rewritten(Operations Operation, bool IsJudged);
