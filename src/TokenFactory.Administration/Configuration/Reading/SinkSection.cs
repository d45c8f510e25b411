namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>The <c>sinks</c>: absent is one file named <c>events</c>; an empty list is none.</summary>
internal static class SinkSection
{
    private static readonly string[] _toCome = ["rabbitmq", "redis-stream"];

    private enum Kind
    {
        File,
        CloudEvents,
    }

    public static IReadOnlyList<SinkSettings> Read(Field field)
    {
        if (field.Items(32) is not { } items)
        {
            return [new FileSinkSettings("events", "events.jsonl")];
        }

        var sinks = new Named<SinkSettings>("sink");
        foreach (var item in items)
        {
            if (item.Required("a sink").Section() is not { } section)
            {
                continue;
            }

            var name = section["name"].Required("the sink's name").Name();
            var kind = ProcessSections.Available(section["kind"].Required("file or cloudevents"), _toCome, ("file", Kind.File), ("cloudevents", Kind.CloudEvents));
            if (kind is null)
            {
                continue;
            }

            SinkSettings? sink = kind == Kind.File ? File(section, name ?? "") : CloudEvents(section, name ?? "");
            section.RefuseUnknownKeys();
            if (sink is not null)
            {
                sinks.Add(section["name"], name, sink);
            }
        }

        return [.. sinks.Values];
    }

    private static FileSinkSettings? File(Section section, string name) =>
        section["path"].Required("the file, relative to the data directory").Text(maxLength: 1024) is { } path
            ? new FileSinkSettings(name, path)
            : null;

    private static CloudEventsSinkSettings? CloudEvents(Section section, string name)
    {
        var url = section["url"].Required("where events are posted to").Url();
        var batch = section["batch"].Whole(1, 1000) ?? 100;
        var credential = section["credential"].Secret();
        return url is null ? null : new CloudEventsSinkSettings(name, url, (int)batch, credential);
    }
}
