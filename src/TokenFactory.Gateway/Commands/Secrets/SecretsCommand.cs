using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using TokenFactory.Administration;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Secrets;
using TokenFactory.Inference.ReadModel.Addresses;

namespace TokenFactory.Gateway.Commands.Secrets;

/// <summary>
/// <c>gateway admin secrets seal|rewrap|key</c>. Secrets come from standard input alone, because arguments are in the shell's history and in
/// everybody's list of processes; what is made goes to standard output alone, all else to standard error. Needs no store.
/// </summary>
internal static class SecretsCommand
{
    private const int MaxDocumentBytes = 4 << 20;

    public static Command Create() => Create(Console.OpenStandardInput);

    /// <param name="openInput">Opens standard input; called once, when the command runs.</param>
    internal static Command Create(Func<Stream> openInput) => new("secrets", "Seal the credentials of providers, and change the key they are sealed under")
    {
        Seal(openInput),
        Rewrap(openInput),
        Key(),
    };

    private static Command Seal(Func<Stream> openInput)
    {
        var provider = new Option<string>("--provider") { Description = "The provider it is the credential of", Required = true };
        var tenant = new Option<string?>("--tenant") { Description = "The tenant whose own provider that is; the default is the operator" };
        var origins = new Option<string[]>("--origin") { Description = "Where it may be sent, such as https://llm.example.com or https://llm.example.com:8443; once for each", Required = true };
        var config = ConfigOption();
        var command = new Command("seal", "Read a secret from standard input and print it sealed: credential: sealed:…") { provider, tenant, origins, config };
        command.SetAction(parsed => Run(parsed, config, keys =>
        {
            var (binding, mistake) = BindingOf(parsed.GetValue(tenant), parsed.GetValue(provider)!, parsed.GetValue(origins)!);
            if (binding is null)
            {
                return (null, mistake!);
            }

            var secret = Read(openInput, SecretKeyring.MaxSecretBytes);
            try
            {
                var (text, unfit) = SealedSecrets.Seal(keys, binding, secret);
                return (text is null ? null : text + Environment.NewLine, unfit);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(secret);
            }
        }));
        return command;
    }

    private static Command Rewrap(Func<Stream> openInput)
    {
        var config = ConfigOption();
        var command = new Command("rewrap", "Read a text, such as a configuration, and print it with every sealed secret in it sealed under the first key") { config };
        command.SetAction(parsed => Run(parsed, config, keys =>
        {
            var bytes = Read(openInput, MaxDocumentBytes);
            if (bytes.Length > MaxDocumentBytes)
            {
                return (null, $"The text is larger than {MaxDocumentBytes >> 20} MB.");
            }

            var (document, count, mistakes) = keys.RewrapAll(Encoding.UTF8.GetString(bytes));
            if (document is null || count == 0)
            {
                return (null, count == 0 ? "There is no sealed secret in this text." : string.Join(Environment.NewLine, mistakes));
            }

            parsed.InvocationConfiguration.Error.WriteLine($"{count} sealed under {keys.Versions[0]}.");
            return (document, null);
        }));
        return command;
    }

    private static Command Key()
    {
        var command = new Command("key", "Make a new key and print it: give it to the gateway as secrets.keys.VERSION, by reference");
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.WriteLine(SecretKey.Make()));
        return command;
    }

    private static Option<string?> ConfigOption() => new("--config") { Description = "The configuration file, of which only secrets.keys is read" };

    private static int Run(ParseResult parsed, Option<string?> config, Func<SecretKeyring, (string? Text, string? Mistake)> run)
    {
        var error = parsed.InvocationConfiguration.Error;
        var (keys, mistakes) = ConfigurationReader.ReadKeys(parsed.GetValue(config), OpenedStore.EnvironmentVariables());
        foreach (var one in mistakes)
        {
            error.WriteLine(one);
        }

        if (mistakes.Count > 0)
        {
            return 1;
        }

        if (keys.Versions.Count == 0)
        {
            error.WriteLine("There is no key to seal under: write secrets: { keys: { v1: env:NAME } } into the configuration, with a key that `gateway admin secrets key` makes.");
            return 1;
        }

        var (text, mistake) = run(keys);
        if (text is null)
        {
            error.WriteLine(mistake);
            return 1;
        }

        parsed.InvocationConfiguration.Output.Write(text);
        return 0;
    }

    private static (SecretBinding? Binding, string? Mistake) BindingOf(string? tenant, string provider, string[] origins)
    {
        if (!Words.IsName(provider) || (tenant is not null && !Words.IsName(tenant)))
        {
            return (null, $"{(Words.IsName(provider) ? "--tenant" : "--provider")}: {Words.NameForm}");
        }

        if (origins.Length > SecretBinding.MaxOrigins)
        {
            return (null, $"--origin: at most {SecretBinding.MaxOrigins} of them");
        }

        var places = new List<EndpointOrigin>();
        foreach (var text in origins)
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.PathAndQuery != "/" || url.Fragment.Length > 0 || url.UserInfo.Length > 0)
            {
                return (null, "--origin: write scheme and host, and a port if it is not the usual one: https://llm.example.com:8443");
            }

            places.Add(EndpointOrigin.Of(url));
        }

        return (new SecretBinding(tenant, provider, places), null);
    }

    /// <summary>One byte more than there may be, so that whoever reads it sees that it is too long.</summary>
    private static byte[] Read(Func<Stream> openInput, int most)
    {
        using var input = openInput();
        var buffer = new byte[most + 3];
        var length = 0;
        for (int read; length < buffer.Length && (read = input.Read(buffer, length, buffer.Length - length)) > 0;)
        {
            length += read;
        }

        var bytes = buffer.AsSpan(0, length).ToArray();
        CryptographicOperations.ZeroMemory(buffer);
        return bytes;
    }
}
