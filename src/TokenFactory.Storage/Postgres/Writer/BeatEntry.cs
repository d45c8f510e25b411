using TokenFactory.Storage.Journal.Writer;

namespace TokenFactory.Storage.Postgres.Writer;

/// <summary>Keeps the instance's lease while nothing else is written.</summary>
internal sealed class BeatEntry : Entry;
