// The outside of the gateway's process and nothing within: what the process fixture's own tests start.
if (args is not ["serve", ..])
{
    var input = await Console.In.ReadToEndAsync();
    Console.WriteLine($"{string.Join(' ', args)}|{input}");
    Console.Error.WriteLine("to the error stream");
    return args is ["fail", ..] ? 3 : 0;
}

string Option(string name) => args[Array.IndexOf(args, name) + 1];
if (args.Contains("--broken"))
{
    Console.Error.WriteLine("the configuration is broken");
    return 1;
}

var data = Option("--data");
var marker = Path.Combine(data, "started");
if (!File.Exists(marker))
{
    Console.WriteLine("key: tfk_abcdEFGH_" + new string('x', 49));
    await File.WriteAllTextAsync(marker, "");
}

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
var app = builder.Build();
app.Urls.Add(Option("--urls"));
app.MapGet("/health/ready", () => "ready");
app.MapGet("/env/{name}", (string name) => Environment.GetEnvironmentVariable(name));
await app.RunAsync();
Console.WriteLine("stopped in order");
return 0;
