using System.Globalization;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>
/// <c>GATEWAY__Section__Key</c> → the value at that place. Keys match in any case, with or without underscores; a number
/// is the place in a list, where one past the end appends. Applied before validation, so that a mistake names the variable.
/// </summary>
internal static class EnvironmentOverrides
{
    private const string Prefix = "GATEWAY__";

    public static void Apply(MappingNode root, ReadingContext context)
    {
        var overrides = context.Environment
            .Where(variable => variable.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            .Select(variable => (variable.Key, Segments: variable.Key[Prefix.Length..].Split("__"), variable.Value))
            .OrderBy(o => o.Segments, SegmentOrder);
        foreach (var (name, segments, value) in overrides)
        {
            var origin = new Origin(name, 0, 0);
            if (segments.Any(segment => segment.Length == 0))
            {
                context.Mistake(origin, "", $"write {Prefix}Section__Key, with a word between each two double underscores");
                continue;
            }

            Set(root, segments, new ScalarNode(origin, value, isPlain: true), context);
        }
    }

    private static void Set(MappingNode root, string[] segments, ScalarNode value, ReadingContext context)
    {
        Node parent = root;
        for (var i = 0; i < segments.Length; i++)
        {
            var isLast = i == segments.Length - 1;
            var made = isLast ? value : Place(segments[i + 1], value.Origin);
            if (parent is ListNode list)
            {
                if (Index(segments[i]) is not { } index || index > list.Items.Count)
                {
                    context.Mistake(
                        value.Origin, string.Join('.', segments), $"'{segments[i]}' is no place in this list: write 0 to {list.Items.Count}");
                    return;
                }

                if (index == list.Items.Count)
                {
                    list.Items.Add(made);
                }
                else if (isLast || list.Items[index] is ScalarNode)
                {
                    list.Items[index] = made;
                }

                parent = list.Items[index];
                continue;
            }

            var mapping = (MappingNode)parent;
            var entry = mapping.Entries.Find(e => KeySpelling.Same(e.Key, segments[i]));
            if (entry is null)
            {
                entry = new Entry(segments[i], value.Origin, made);
                mapping.Entries.Add(entry);
            }
            else if (isLast || entry.Value is ScalarNode)
            {
                entry.Value = made;
            }

            parent = entry.Value;
        }
    }

    private static Node Place(string nextSegment, Origin origin) =>
        Index(nextSegment) is null ? new MappingNode(origin) : new ListNode(origin);

    private static int? Index(string segment) =>
        int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    // In the order of the list, so that appending 9 and then 10 works whatever order the environment has.
    private static Comparer<string[]> SegmentOrder { get; } = Comparer<string[]>.Create(static (left, right) =>
    {
        for (var i = 0; i < Math.Min(left.Length, right.Length); i++)
        {
            var order = Index(left[i]) is { } a && Index(right[i]) is { } b
                ? a.CompareTo(b)
                : string.CompareOrdinal(left[i].ToUpperInvariant(), right[i].ToUpperInvariant());
            if (order != 0)
            {
                return order;
            }
        }

        return left.Length.CompareTo(right.Length);
    });
}
