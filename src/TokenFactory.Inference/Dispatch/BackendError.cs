using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dispatch;

/// <summary>
/// What a backend said when it failed, whichever shape it said it in. It is the backend's own words: what of them may go
/// to a client is for the caller to decide.
/// </summary>
/// <param name="Code">Numeric codes become strings, for SDKs take a string or null.</param>
/// <param name="Status">The HTTP status, or the one an in-band frame names; null when none is known.</param>
internal sealed record BackendError(string? Message, string? Type, string? Code, int? Status, string? Param)
{
    /// <summary>Reads an error body or the data of an error frame. Never throws; what it keeps is bounded.</summary>
    public static BackendError Read(ReadOnlySpan<byte> body, int? status = null) => BackendErrorReader.Read(body, status);

    /// <summary>Backends echo what they were sent, the gateway's credential included, in whichever member.</summary>
    public BackendError Without(Secret? credential) => credential?.Reveal() is not { } secret ? this : this with
    {
        Message = Cut(Message, secret),
        Type = Cut(Type, secret),
        Code = Cut(Code, secret),
        Param = Cut(Param, secret),
    };

    private static string? Cut(string? text, string secret) => text?.Replace(secret, "(secret)", StringComparison.OrdinalIgnoreCase);
}
