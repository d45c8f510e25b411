namespace TokenFactory.Storage.Registry;

/// <summary>One document that is written, or removed.</summary>
/// <param name="Body">Null removes it.</param>
public sealed record RegistryEdit(RegistryKind Kind, string Name, string? Body);
