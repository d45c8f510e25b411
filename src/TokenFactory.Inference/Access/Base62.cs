namespace TokenFactory.Inference.Access;

/// <summary>The digits of key ids, secrets and checksums: nothing that a shell, a URL or a double click splits.</summary>
public static class Base62
{
    public const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
}
