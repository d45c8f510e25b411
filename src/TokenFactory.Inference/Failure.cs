using TokenFactory.Inference.Dialects;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference;

/// <summary>Why a dispatched request has no honest answer: how the ledger books it, and what the caller is told.</summary>
/// <param name="TookPrompt">Whether a backend had the request and may have worked on it: then the prompt is charged.</param>
/// <param name="Reported">What the backend itself said that its failed answer used: then that is charged (P3).</param>
internal sealed record Failure(Outcome Outcome, GatewayError Error, bool TookPrompt, ReportedUsage? Reported = null);
