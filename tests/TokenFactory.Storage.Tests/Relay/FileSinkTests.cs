using System.Text;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;
using TokenFactory.Storage.Tests.Sqlite;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

public sealed class FileSinkTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("", "")]
    [InlineData("{\"a\":1}\n", "{\"a\":1}\n")]
    [InlineData("{\"a\":1}\n{\"torn", "{\"a\":1}\n")]
    [InlineData("{\"torn", "")]
    public async Task A_torn_last_line_is_cut_before_the_first_append(string found, string kept)
    {
        await File.WriteAllTextAsync(_directory.File("events.jsonl"), found);

        await DeliverAsync("{\"b\":2}", "{\"c\":3}");

        Assert.Equal(kept + "{\"b\":2}\n{\"c\":3}\n", await File.ReadAllTextAsync(_directory.File("events.jsonl")));
    }

    [Fact]
    public async Task A_torn_line_longer_than_the_search_window_is_cut_whole()
    {
        await File.WriteAllTextAsync(_directory.File("events.jsonl"), "{\"a\":1}\n" + new string('x', 20_000));

        await DeliverAsync("{}");

        Assert.Equal("{\"a\":1}\n{}\n", await File.ReadAllTextAsync(_directory.File("events.jsonl")));
    }

    private async Task DeliverAsync(params string[] lines)
    {
        using var sink = new FileSink("file", _directory.File("events.jsonl"), 100);
        await ((ISink)sink).OpenAsync(default);
        await sink.DeliverAsync([.. lines.Select((line, seq) => new OutboxMessage(seq, Guid.Empty, "t", Encoding.UTF8.GetBytes(line), default))], default);
    }
}
