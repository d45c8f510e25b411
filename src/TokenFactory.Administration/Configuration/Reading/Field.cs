using System.Globalization;
using System.Text;
using TokenFactory.Administration.Secrets;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>
/// One value while it is read, present or not. Every method notes what is wrong and answers null, so that reading goes on
/// and all mistakes are told at once; absent and null are the same.
/// </summary>
internal readonly struct Field(Node? node, Origin parent, string path, ReadingContext context)
{
    public string Path { get; } = path;

    public bool IsPresent => node is not (null or ScalarNode { IsNull: true });

    /// <summary>A single value rather than a list or mapping.</summary>
    public bool IsText => IsPresent && node is ScalarNode;

    public void Mistake(string message) => context.Mistake(node?.Origin ?? parent, Path, message);

    public Field Required(string what)
    {
        if (!IsPresent)
        {
            Mistake($"missing: {what}");
        }

        return this;
    }

    public string? Text(int maxLength = 256)
    {
        if (Scalar("a text") is not { } scalar)
        {
            return null;
        }

        if (scalar.Text.Length == 0 || scalar.Text.Length > maxLength || scalar.Text.Any(char.IsControl))
        {
            Mistake($"write 1 to {maxLength} characters on one line");
            return null;
        }

        return scalar.Text;
    }

    /// <summary>A name that is safe in events, labels, file names and limiter keys.</summary>
    public string? Name()
    {
        if (Text() is not { } text)
        {
            return null;
        }

        if (!Names.AreValid(text))
        {
            Mistake(Names.Form);
            return null;
        }

        return text;
    }

    public long? Whole(long min, long max)
    {
        if (Scalar("a whole number") is not { } scalar)
        {
            return null;
        }

        if (!scalar.IsPlain || !long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            || number < min || number > max)
        {
            Mistake(string.Create(CultureInfo.InvariantCulture, $"write a whole number from {min} to {max}, without quotes or unit"));
            return null;
        }

        return number;
    }

    public bool? Flag()
    {
        if (Scalar("true or false") is not { } scalar)
        {
            return null;
        }

        if (!scalar.IsPlain || !bool.TryParse(scalar.Text, out var flag))
        {
            Mistake("write true or false, without quotes");
            return null;
        }

        return flag;
    }

    public TimeSpan? Duration(TimeSpan min, TimeSpan max)
    {
        if (Scalar("a duration") is not { } scalar)
        {
            return null;
        }

        if (Quantity.Duration(scalar.Text) is not { } duration)
        {
            Mistake(Quantity.DurationForm);
            return null;
        }

        if (duration < min || duration > max)
        {
            Mistake($"write a duration from {Show(min)} to {Show(max)}");
            return null;
        }

        return duration;
    }

    public long? SizeBytes(long min, long max)
    {
        if (Scalar("a size") is not { } scalar)
        {
            return null;
        }

        if (Quantity.SizeBytes(scalar.Text) is not { } size)
        {
            Mistake(Quantity.SizeForm);
            return null;
        }

        if (size < min || size > max)
        {
            Mistake(string.Create(CultureInfo.InvariantCulture, $"write a size from {min >> 10}KB to {max >> 20}MB"));
            return null;
        }

        return size;
    }

    public long? NanoUsd()
    {
        if (Scalar("an amount of USD") is not { } scalar)
        {
            return null;
        }

        var amount = scalar.IsPlain ? Quantity.NanoUsd(scalar.Text) : null;
        if (amount is null)
        {
            Mistake(Quantity.UsdForm);
        }

        return amount;
    }

    public T? Choice<T>(params ReadOnlySpan<(string Word, T Value)> choices)
        where T : struct
    {
        if (Text() is not { } text)
        {
            return null;
        }

        var words = new List<string>(choices.Length);
        foreach (var (word, value) in choices)
        {
            if (string.Equals(word, text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }

            words.Add(word);
        }

        Mistake($"'{text}' is none of {string.Join(", ", words)}{KeySpelling.Suggest(text, words)}");
        return null;
    }

    public Uri? Url()
    {
        if (Text(maxLength: 2048) is not { } text)
        {
            return null;
        }

        var (url, mistake) = EndpointUrl.Parse(text);
        if (mistake is not null)
        {
            Mistake(mistake);
        }

        return url;
    }

    /// <summary>A date (its start, UTC) or a date with time and offset.</summary>
    public DateTimeOffset? Moment()
    {
        if (Text() is not { } text)
        {
            return null;
        }

        if (Moments.Parse(text) is not { } moment)
        {
            Mistake(Moments.Form);
            return null;
        }

        return moment;
    }

    /// <summary>What a sealed credential opens under.</summary>
    public SecretKeyring Keys => context.Keys;

    public byte[]? SecretBytes() => SecretReference.Resolve(this, context);

    /// <summary>Whether a registered document says it, and not the file or the environment.</summary>
    public bool IsRegistered => node is { Origin.IsRegistered: true };

    /// <summary>A secret that is text: sent in a header, or presented in one. A file's last newline is not part of it.</summary>
    public Secret? Secret(int minLength = 1)
    {
        if (SecretBytes() is not { } bytes)
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(bytes).TrimEnd('\r', '\n');
        if (text.Length < minLength || text.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            Mistake($"the secret must be {minLength} or more visible ASCII characters without spaces");
            return null;
        }

        return new Secret(text);
    }

    /// <summary>Null when absent or no mapping.</summary>
    public Section? Section()
    {
        if (!IsPresent)
        {
            return null;
        }

        if (node is MappingNode mapping)
        {
            return new Section(mapping, Path, context);
        }

        Mistake($"write a mapping ({{ key: value, … }}), not {Kind}");
        return null;
    }

    /// <summary>An absent section reads as an empty one, so that its defaults are in one place.</summary>
    public Section SectionOrEmpty() => Section() ?? new Section(new MappingNode(node?.Origin ?? parent), Path, context);

    /// <summary>Null when absent or no list. A scalar from the environment is a list separated by commas.</summary>
    public IReadOnlyList<Field>? Items(int max = 10_000)
    {
        var self = this;
        switch (node)
        {
            case null or ScalarNode { IsNull: true, Origin.IsEnvironment: false }:
                return null;
            case ScalarNode { Origin.IsEnvironment: true } scalar:
                return [.. scalar.Text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .Select((item, i) => self.Item(new ScalarNode(scalar.Origin, item, isPlain: true), i))];
            case ListNode list when list.Items.Count <= max:
                return [.. list.Items.Select(self.Item)];
            case ListNode:
                Mistake($"at most {max} items");
                return null;
            default:
                Mistake($"write a list ([a, b] or lines that start with '-'), not {Kind}");
                return null;
        }
    }

    /// <summary>A list, or one value in place of a list of one.</summary>
    public IReadOnlyList<Field>? ItemsOrOne(int max) => IsText && !node!.Origin.IsEnvironment ? [this] : Items(max);

    private Field Item(Node item, int index) => new(item, item.Origin, $"{Path}[{index}]", context);

    private ScalarNode? Scalar(string expected)
    {
        if (!IsPresent)
        {
            return null;
        }

        if (node is ScalarNode scalar)
        {
            return scalar;
        }

        Mistake($"write {expected}, not {Kind}");
        return null;
    }

    private string Kind => node switch
    {
        ListNode => "a list",
        MappingNode => "a mapping",
        _ => "a single value",
    };

    private static string Show(TimeSpan duration) => duration switch
    {
        { TotalMilliseconds: < 1000 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds:0}ms"),
        { TotalSeconds: < 3600 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0}s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalHours:0}h"),
    };
}
