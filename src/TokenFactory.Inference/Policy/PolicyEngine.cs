using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Inference.Policy;

/// <summary>Bundle and question → verdict. Pure: equal inputs, equal verdicts.</summary>
public static class PolicyEngine
{
    public const string NotAllowed = "not_allowed";
    public const string ControlsMissing = "controls_missing";

    /// <summary>The first attribute of which the caller says a word outside the bundle's vocabulary; null when all are known.</summary>
    public static PolicyAttribute? UnknownWord(PolicyBundle bundle, PolicyQuestion question)
    {
        foreach (var (attribute, words) in bundle.Vocabulary)
        {
            if (attribute == PolicyAttribute.Control)
            {
                foreach (var control in question.Governance.Controls)
                {
                    if (!words.Contains(control))
                    {
                        return attribute;
                    }
                }
            }
            else if (question.DeclaredOf(attribute) is { } declared && !Has(words, attribute, declared))
            {
                return attribute;
            }
        }

        return null;
    }

    public static Verdict Judge(PolicyBundle bundle, PolicyQuestion question)
    {
        if (bundle.Rules.Count == 0 && bundle.AllowsByDefault)
        {
            return Verdict.Nothing;
        }

        List<string> matched = [], reasons = [], deniedBy = [];
        List<Restriction> restrictions = [];
        var allowed = bundle.AllowsByDefault;
        foreach (var rule in bundle.Rules)
        {
            if (!Matches(rule.When, question, everyWord: false))
            {
                continue;
            }

            matched.Add(rule.Id);
            if (rule.Restrict is { } restriction)
            {
                restrictions.Add(restriction);
            }

            if (rule.Deny is { } codes)
            {
                deniedBy.Add(rule.Id);
                reasons.AddRange(codes);
            }
            else if (AnyMissing(rule.Controls, question.Governance.Controls))
            {
                deniedBy.Add(rule.Id);
                reasons.Add(ControlsMissing);
                reasons.AddRange(MissingOf(rule.Controls, question.Governance.Controls));
            }

            allowed |= rule.Allow && Matches(rule.When, question, everyWord: true);
        }

        if (!allowed && reasons.Count == 0)
        {
            reasons.Add(NotAllowed);
        }

        return new Verdict(matched, reasons.Count == 0 ? [] : [.. reasons.Distinct(StringComparer.Ordinal)], deniedBy, restrictions);
    }

    private static bool Matches(RuleCondition condition, PolicyQuestion question, bool everyWord)
    {
        foreach (var (attribute, words) in condition.AnyOf)
        {
            var (first, second) = question.WordsOf(attribute);
            var one = Has(words, attribute, first);
            var other = second is null ? everyWord : Has(words, attribute, second);
            if (everyWord ? !(one && other) : !(one || other))
            {
                return false;
            }
        }

        return condition.MissingControls.Count == 0 || AnyMissing(condition.MissingControls, question.Governance.Controls);
    }

    /// <summary>Regions are paths: <c>eu</c> is said of <c>eu-west-1</c> too.</summary>
    private static bool Has(FrozenSet<string> words, PolicyAttribute attribute, string word)
    {
        if (words.Contains(word))
        {
            return true;
        }

        if (attribute == PolicyAttribute.Region)
        {
            foreach (var region in words)
            {
                if (Region.Covers(region, word))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool AnyMissing(FrozenSet<string> controls, IReadOnlyList<string> declared)
    {
        foreach (var control in controls)
        {
            if (!declared.Contains(control, StringComparer.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static IEnumerable<string> MissingOf(FrozenSet<string> controls, IReadOnlyList<string> declared) =>
        controls.Where(control => !declared.Contains(control, StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).Select(control => $"control:{control}");
}
