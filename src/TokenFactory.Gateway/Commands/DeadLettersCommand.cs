using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Gateway.Commands;

/// <summary><c>gateway admin dead-letters</c>: the events that sinks refused for good, and offering them again.</summary>
internal static class DeadLettersCommand
{
    public static Command Create()
    {
        var command = new Command("dead-letters", "Events that a sink refused for good");
        command.Subcommands.Add(List());
        command.Subcommands.Add(Replay());
        return command;
    }

    private static Command List()
    {
        var store = new StoreOptions();
        var sink = new Option<string?>("--sink") { Description = "Only this sink's" };
        var limit = new Option<int>("--limit") { Description = "How many, the newest first", DefaultValueFactory = _ => 100 };
        var json = new Option<bool>("--json") { Description = "JSON lines, with the events" };
        var command = new Command("list", "Show them and why they were refused, the newest first") { sink, limit, json };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, async opened =>
        {
            var letters = await opened.DeadLetters.ListAsync(result.GetValue(sink), Math.Max(1, result.GetValue(limit)), cancel);
            await Console.Out.WriteLineAsync(result.GetValue(json) ? string.Join('\n', letters.Select(Json)) : Table(letters));
            return 0;
        }, cancel));
        return command;
    }

    private static Command Replay()
    {
        var store = new StoreOptions();
        var sink = new Option<string>("--sink") { Description = "The sink that refused them", Required = true };
        var id = new Option<Guid?>("--id") { Description = "Only this event; the default is all of the sink's" };
        var command = new Command("replay", "Ask the serving process to offer them to the sink again") { sink, id };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, async opened =>
        {
            var asked = await opened.DeadLetters.ReplayAsync(result.GetValue(sink)!, result.GetValue(id), cancel);
            if (asked == 0)
            {
                return await OpenedStore.RefuseAsync("There is no such dead letter: gateway admin dead-letters list shows what there is");
            }

            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{asked} will be offered again by the serving process"));
            return 0;
        }, cancel));
        return command;
    }

    private static string Table(IReadOnlyList<DeadLetter> letters) => TextTable.Of(
        ["SINK", "EVENT", "TYPE", "PARKED", "ATTEMPTS", "REPLAY", "ERROR"],
        [.. letters.Select(letter => (IReadOnlyList<string>)
        [
            letter.Sink, letter.EventId.ToString("D"), letter.Type, letter.ParkedAt.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            letter.Attempts.ToString(CultureInfo.InvariantCulture), letter.ReplayRequested ? "asked" : "-", OneLine(letter.Error),
        ])]);

    private static string OneLine(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter));

    private static string Json(DeadLetter letter) => JsonSerializer.Serialize(new
    {
        sink = letter.Sink,
        event_id = letter.EventId,
        type = letter.Type,
        parked_at = letter.ParkedAt,
        attempts = letter.Attempts,
        replay_requested = letter.ReplayRequested,
        error = letter.Error,
        @event = letter.Body.Length == 0 ? (JsonElement?)null : JsonDocument.Parse(letter.Body).RootElement,
    });
}
