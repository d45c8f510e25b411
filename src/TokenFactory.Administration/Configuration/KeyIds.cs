using System.Security.Cryptography;
using System.Text;
using TokenFactory.Inference.Access;

namespace TokenFactory.Administration.Configuration;

/// <summary>The ids of keys that the file names without one.</summary>
internal static class KeyIds
{
    /// <summary>Stable over restarts and over a changed secret, so that usage before and after is one key's.</summary>
    public static string Derive(string tenant, string name)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant.Length}:{tenant}/{name}"));
        return string.Create(KeyFormat.IdLength, digest, static (id, digest) =>
        {
            for (var i = 0; i < id.Length; i++)
            {
                id[i] = Base62.Digits[digest[i] % Base62.Digits.Length];
            }
        });
    }
}
