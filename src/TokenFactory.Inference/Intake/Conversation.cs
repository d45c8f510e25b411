namespace TokenFactory.Inference.Intake;

/// <summary>What a backend keeps of earlier turns: worth something there alone.</summary>
/// <param name="Deployment">Where it is kept; nobody else can go on with it.</param>
/// <param name="BackendId">What the backend calls the response that is gone on from.</param>
/// <param name="Tokens">About how many tokens it holds, for limits: the backend adds them to the input, and only it can count them.</param>
internal sealed record Conversation(string Deployment, string BackendId, long Tokens);
