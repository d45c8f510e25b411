using TokenFactory.Inference.ReadModel.Keys;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>What an operator should know about an answer; bounded, and without any secret.</summary>
internal sealed class Remarks(IReadOnlyList<Pepper> peppers)
{
    private const int Max = 20;

    private readonly List<string> _first = [];

    public long Count { get; private set; }

    public IEnumerable<string> First => _first;

    public void Add(string remark)
    {
        Count++;
        if (_first.Count < Max)
        {
            _first.Add(remark);
        }
    }

    /// <summary>A digest under a pepper that is not configured can be kept, and recognised once it is.</summary>
    public void Needs(string pepperVersion, SubjectId key)
    {
        foreach (var pepper in peppers)
        {
            if (pepper.Version == pepperVersion)
            {
                return;
            }
        }

        Add($"{key}: it was digested under pepper {(pepperVersion.All(char.IsAsciiLetterOrDigit) ? pepperVersion : "?")}, which is not configured; it cannot be recognised");
    }
}
