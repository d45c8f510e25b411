using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>The built-in echo model: a working gateway before anything is configured, and a probe of the path afterwards.</summary>
internal static class Builtin
{
    public const string Name = "loopback";

    public static Provider Provider { get; } = new(Name, ProviderKind.Loopback, null, null);
}
