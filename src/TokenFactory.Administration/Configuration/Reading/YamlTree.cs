using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>
/// YAML → nodes that know their line and column. Aliases and tags are refused (an alias can stand for a billion nodes,
/// a tag for any type), and so is a key written twice, of which YAML would silently keep one.
/// </summary>
internal sealed class YamlTree(string text, ReadingContext context)
{
    private const int MaxDepth = 32;

    private readonly Parser _parser = new(new StringReader(text));

    /// <summary>The document's mapping; an empty document is an empty mapping, and so is one that cannot be read at all.</summary>
    public MappingNode Read()
    {
        switch (ReadAny())
        {
            case MappingNode mapping:
                return mapping;
            case { } node:
                context.Mistake(node.Origin, "", "the document is a mapping of sections: store, providers, deployments, models, tenants, …");
                break;
        }

        return new MappingNode(new Origin(context.Source, 1, 1));
    }

    /// <summary>The document, whatever it is; null when it is empty or cannot be read.</summary>
    public Node? ReadAny()
    {
        try
        {
            _parser.Consume<StreamStart>();
            if (_parser.Accept<StreamEnd>(out _))
            {
                return null;
            }

            _parser.Consume<DocumentStart>();
            var node = ReadNode("", 0);
            _parser.Consume<DocumentEnd>();
            if (_parser.Current is DocumentStart second)
            {
                context.Mistake(OriginOf(second.Start), "", "write one document: everything after '---' would be ignored");
            }

            return node is ScalarNode { IsNull: true } ? null : node;
        }
        catch (YamlException e)
        {
            // The parser's words quote no values, only what it expected.
            context.Mistake(OriginOf(e.Start), "", $"not valid YAML: {e.Message}");
            return null;
        }
    }

    private Node ReadNode(string path, int depth)
    {
        var origin = OriginOf(_parser.Current!.Start);
        if (depth > MaxDepth)
        {
            context.Mistake(origin, path, $"nested deeper than {MaxDepth} levels");
            _parser.SkipThisAndNestedEvents();
            return new ScalarNode(origin, "", isPlain: true);
        }

        if (_parser.Current is NodeEvent { Tag: { IsEmpty: false, IsNonSpecific: false } })
        {
            context.Mistake(origin, path, "tags (!…) are not supported: write the plain value");
        }

        if (_parser.TryConsume<AnchorAlias>(out _))
        {
            context.Mistake(origin, path, "aliases (*…) are not supported: write the value out");
            return new ScalarNode(origin, "", isPlain: true);
        }

        if (_parser.TryConsume<Scalar>(out var scalar))
        {
            return new ScalarNode(origin, scalar.Value, scalar.Style == ScalarStyle.Plain);
        }

        return _parser.TryConsume<SequenceStart>(out _) ? ReadList(origin, path, depth) : ReadMapping(origin, path, depth);
    }

    private ListNode ReadList(Origin origin, string path, int depth)
    {
        var list = new ListNode(origin);
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            list.Items.Add(ReadNode($"{path}[{list.Items.Count}]", depth + 1));
        }

        return list;
    }

    private MappingNode ReadMapping(Origin origin, string path, int depth)
    {
        _parser.Consume<MappingStart>();
        var mapping = new MappingNode(origin);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var keyOrigin = OriginOf(_parser.Current!.Start);
            if (!_parser.TryConsume<Scalar>(out var key))
            {
                context.Mistake(keyOrigin, path, "a key is a plain word");
                _parser.SkipThisAndNestedEvents();
                _parser.SkipThisAndNestedEvents();
                continue;
            }

            var keyPath = path.Length == 0 ? key.Value : $"{path}.{key.Value}";
            var value = ReadNode(keyPath, depth + 1);
            if (mapping.Entries.Find(entry => entry.Key == key.Value) is { } first)
            {
                context.Mistake(keyOrigin, keyPath, $"written twice: line {first.KeyOrigin.Line} has it already; keep one");
                continue;
            }

            mapping.Entries.Add(new Entry(key.Value, keyOrigin, value));
        }

        return mapping;
    }

    private Origin OriginOf(Mark mark) => new(context.Source, (int)mark.Line, (int)mark.Column);
}
