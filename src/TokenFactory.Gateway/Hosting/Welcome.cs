using TokenFactory.Administration.Iam;

namespace TokenFactory.Gateway.Hosting;

/// <summary>What <c>serve</c> says to the person who started it: where it listens and, the first time, a key and a line to try it with.</summary>
internal static class Welcome
{
    public static void Print(ICollection<string> urls, MintedKey? key)
    {
        var url = urls.FirstOrDefault(u => u.StartsWith("http://127.0.0.1", StringComparison.Ordinal)) ?? urls.First();
        Console.WriteLine($"Token Factory Gateway {ProductVersion.Current.Version} listens on {string.Join(", ", urls)}");
        if (key is null)
        {
            return;
        }

        PrintKey(key);
        Console.WriteLine("Try it:");
        Console.WriteLine();
        Console.WriteLine($"  curl {url}/v1/chat/completions -H 'Authorization: Bearer {key.Key.Reveal()}' -H 'Content-Type: application/json' -d '{{\"model\":\"loopback\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'");
        Console.WriteLine();
    }

    /// <summary>The key alone: also where the start fails after it was made.</summary>
    public static void PrintKey(MintedKey key)
    {
        Console.WriteLine();
        Console.WriteLine("The first key, shown this once:");
        Console.WriteLine();
        Console.WriteLine("  " + key.Key.Reveal());
        Console.WriteLine();
    }
}
