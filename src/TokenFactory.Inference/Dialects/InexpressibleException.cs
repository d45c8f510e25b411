namespace TokenFactory.Inference.Dialects;

/// <summary>A request cannot be said in the backend's dialect, or is no well-formed one of the client's; <see cref="Error"/> tells the caller what to change.</summary>
internal sealed class InexpressibleException(GatewayError error) : Exception(error.Message)
{
    public GatewayError Error { get; } = error;

    /// <summary>Well-formed, and without words in the other dialect.</summary>
    public static InexpressibleException Of(string param, string why) =>
        new(GatewayError.Inexpressible(param, $"'{param}' {why}"));

    /// <summary>Not what its own dialect says.</summary>
    public static InexpressibleException Malformed(string param, string must) =>
        new(GatewayError.InvalidValue(param, $"'{param}' {must}"));
}
