namespace TokenFactory.Inference.Dialects;

/// <summary>A backend's answer is none of its dialect, so it cannot be told in another one.</summary>
internal sealed class UnreadableAnswerException(string problem) : IOException(problem);
