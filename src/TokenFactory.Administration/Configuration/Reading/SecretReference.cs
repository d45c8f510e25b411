using System.Security.Cryptography;
using System.Text;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>
/// <c>env:NAME</c> and <c>file:PATH</c> → the secret's bytes. A literal is refused without being repeated: it would end up
/// in the logs of whoever mistyped it.
/// </summary>
internal static class SecretReference
{
    private const int MaxBytes = 64 * 1024;

    public static byte[]? Resolve(Field field, ReadingContext context)
    {
        var text = field.Text(maxLength: 4096);
        if (text is null)
        {
            return null;
        }

        // Who may register providers could otherwise have any secret of this process sent to an address of his own.
        if (field.IsRegistered && !context.Registered.Secrets.Contains(text))
        {
            return Refuse(field, "registered documents may refer only to the secrets that the configuration lists in registry.secrets: add the reference there");
        }

        var value = text.Split(':', 2) switch
        {
            ["env", { Length: > 0 } name] => FromEnvironment(name, field, context),
            ["file", { Length: > 0 } path] => FromFile(path, field, context),
            ["sealed", ..] => Refuse(field, "a sealed text is the credential of the provider that it was sealed for, and opens nowhere else: write env:NAME or file:PATH"),
            _ => Refuse(field, "secrets are references: env:NAME or file:PATH"),
        };
        if (value is not null)
        {
            context.SecretDigests.Add(Convert.ToHexStringLower(SHA256.HashData(value)));
        }

        return value;
    }

    private static byte[]? FromEnvironment(string name, Field field, ReadingContext context)
    {
        if (!context.Environment.TryGetValue(name, out var value) || value.Length == 0)
        {
            return Refuse(field, $"the environment variable {name} is not set: set it, or change the reference");
        }

        return Encoding.UTF8.GetBytes(value);
    }

    private static byte[]? FromFile(string path, Field field, ReadingContext context)
    {
        var file = Path.GetFullPath(path, context.Directory);
        context.Files.Add(file);
        try
        {
            if (!File.Exists(file))
            {
                return Refuse(field, $"the file {path} does not exist: create it, or change the reference");
            }

            if (new FileInfo(file).Length is 0 or > MaxBytes)
            {
                return Refuse(field, $"the file {path} must hold 1 to {MaxBytes} bytes");
            }

            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Refuse(field, $"the file {path} cannot be read: check its permissions");
        }
    }

    private static byte[]? Refuse(Field field, string message)
    {
        field.Mistake(message);
        return null;
    }
}
