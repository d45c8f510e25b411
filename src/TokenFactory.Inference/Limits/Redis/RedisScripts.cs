using System.Text;

namespace TokenFactory.Inference.Limits.Redis;

/// <summary>The limiter's Lua, each script with the server's time and the arithmetic in front of it.</summary>
internal sealed class RedisScripts
{
    private readonly string _prelude;

    /// <param name="time">Lua that sets <c>now</c>, milliseconds since 1970: the server's own time but for a test that owns it.</param>
    public RedisScripts(string? time = null)
    {
        _prelude = (time ?? Read("time")) + "\n" + Read("amounts");
        Take = Compose("take");
        Settle = Compose("settle");
        Extend = Compose("extend");
        Replicas = Compose("replicas");
        Rests = Compose("rests");
    }

    public static RedisScripts OnServerTime { get; } = new();

    public string Take { get; }

    public string Settle { get; }

    public string Extend { get; }

    public string Replicas { get; }

    public string Rests { get; }

    private string Compose(string name) => _prelude + "\n" + Read(name);

    private static string Read(string name)
    {
        using var resource = typeof(RedisScripts).Assembly.GetManifestResourceStream(name + ".lua")!;
        using var reader = new StreamReader(resource, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
