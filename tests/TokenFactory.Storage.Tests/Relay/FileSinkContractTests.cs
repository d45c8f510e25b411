using System.Text.Json;
using TokenFactory.Storage.Relay;
using TokenFactory.Storage.Tests.Sqlite;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>The file sink under the contract of all sinks.</summary>
public sealed class FileSinkContractTests : SinkContract
{
    private protected override Task<SinkUnderTest> StartAsync() => Task.FromResult<SinkUnderTest>(new FileUnderTest());

    /// <summary>Its outage is a folder that cannot be opened.</summary>
    private sealed class FileUnderTest : SinkUnderTest
    {
        private readonly TemporaryDirectory _directory = new();

        /// <summary>An open file stays writable wherever its folder goes.</summary>
        public override bool BreaksUnnoticed => true;

        private string Folder => _directory.File("events");

        private string Path => System.IO.Path.Combine(Folder, "events.jsonl");

        public override ISink New(TimeSpan? timeout = null) => new FileSink("file", Path, 32);

        public override async Task<IReadOnlyList<Taken>> TakenAsync() =>
            [.. (await File.ReadAllLinesAsync(Path)).Select(line => new Taken(JsonDocument.Parse(line).RootElement.GetProperty("id").GetGuid(), line))];

        public override Task BreakAsync()
        {
            Directory.Move(Folder, Folder + ".away");
            return File.WriteAllTextAsync(Folder, "");
        }

        public override Task MendAsync()
        {
            File.Delete(Folder);
            Directory.Move(Folder + ".away", Folder);
            return Task.CompletedTask;
        }

        public override ValueTask DisposeAsync()
        {
            _directory.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
