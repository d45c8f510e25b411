using System.Security.Cryptography;
using System.Text;
using TokenFactory.Administration.Secrets;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>The <c>secrets</c>: the keys that sealed credentials open under, the one that new ones are sealed under first.</summary>
internal static class SecretsSection
{
    public static SecretKeyring Read(Section section)
    {
        var keys = new List<SecretKey>();
        var values = new List<byte[]>();
        if (section["keys"].Section() is { } versions)
        {
            foreach (var version in versions.Keys.ToArray())
            {
                var field = versions[version];
                if (version.Length > 16 || !version.All(char.IsAsciiLetterOrDigit))
                {
                    field.Mistake("a key's version has 1 to 16 letters and digits, such as v1");
                }
                else if (BytesOf(field) is { } value)
                {
                    if (values.Exists(other => CryptographicOperations.FixedTimeEquals(other, value)))
                    {
                        field.Mistake("this is the same key as another version's: a new version needs a new key");
                    }

                    values.Add(value);
                    keys.Add(new SecretKey(version, value));
                }
            }
        }

        section.RefuseUnknownKeys();
        return new SecretKeyring(keys);
    }

    private static byte[]? BytesOf(Field field)
    {
        if (field.Required("a reference, env:NAME or file:PATH").SecretBytes() is not { } text)
        {
            return null;
        }

        var value = SecretKey.BytesOf(Encoding.UTF8.GetString(text).Trim());
        CryptographicOperations.ZeroMemory(text);
        if (value is null)
        {
            field.Mistake(SecretKey.Form);
        }

        return value;
    }
}
