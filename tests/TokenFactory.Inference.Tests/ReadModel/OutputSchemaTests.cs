using System.Text;
using System.Text.Json;
using TokenFactory.Inference.ReadModel.Schemas;
using Xunit;

namespace TokenFactory.Inference.Tests.ReadModel;

/// <summary>Structured output is held to its schema, and a schema that could not be held to is refused when it is registered.</summary>
public sealed class OutputSchemaTests
{
    [Theory]
    [InlineData("""{"type":"object"}""", "{}", null)]
    [InlineData("""{"type":"object"}""", "[]", "$: must be object")]
    [InlineData("""{"type":["string","null"]}""", "null", null)]
    [InlineData("""{"type":"integer"}""", "12.0", null)]
    [InlineData("""{"type":"integer"}""", "12.5", "$: must be integer")]
    [InlineData("""{"properties":{"a":{"type":"string"}},"required":["a","b"]}""", """{"a":1}""", "$.a: must be string|$.b: is missing")]
    [InlineData("""{"properties":{"a":true},"additionalProperties":false}""", """{"a":1,"z":2}""", "$: has a member that the schema does not name")]
    [InlineData("""{"additionalProperties":{"type":"number"}}""", """{"q":"x"}""", "$.*: must be number")]
    [InlineData("""{"items":{"type":"string"}}""", """["a",1]""", "$[1]: must be string")]
    [InlineData("""{"minItems":2,"maxItems":2}""", "[1]", "$: must be at least 2 elements")]
    [InlineData("""{"uniqueItems":true}""", "[1,1.0]", "$: its elements must differ")]
    [InlineData("""{"pattern":"^[0-9]+$"}""", "\"12\\n\"", "$: does not match the schema's pattern")]
    [InlineData("""{"uniqueItems":true}""", "[1,1]", "$: its elements must differ")]
    [InlineData("""{"minLength":2,"maxLength":2}""", "\"😀😀\"", null)]
    [InlineData("""{"maxLength":1}""", "\"ab\"", "$: must be at most 1 characters")]
    [InlineData("""{"pattern":"^[A-Z]+$"}""", "\"AB1\"", "$: does not match the schema's pattern")]
    [InlineData("""{"minimum":1,"exclusiveMaximum":3}""", "3", "$: is outside of its bounds")]
    [InlineData("""{"multipleOf":0.5}""", "1.25", "$: must be a multiple of 0.5")]
    [InlineData("""{"enum":["a",{"b":[1]}]}""", """{"b":[1]}""", null)]
    [InlineData("""{"const":"a"}""", "\"b\"", "$: must be one of the schema's 1 values")]
    [InlineData("""{"minProperties":1}""", "{}", "$: must be at least 1 members")]
    [InlineData("""{"allOf":[{"type":"object"},{"required":["a"]}]}""", "{}", "$.a: is missing")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"null"}]}""", "1", "$: fits none of anyOf")]
    [InlineData("""{"oneOf":[{"type":"number"},{"type":"integer"}]}""", "1", "$: must fit one of oneOf and no other")]
    [InlineData("""{"not":{"type":"string"}}""", "\"a\"", "$: must not fit what 'not' says")]
    [InlineData("""{"$ref":"#/$defs/node","$defs":{"node":{"properties":{"next":{"$ref":"#/$defs/node"}},"required":["v"]}}}""", """{"v":1,"next":{"v":2,"next":{}}}""", "$.next.next.v: is missing")]
    [InlineData("""{"title":"t","description":"d","format":"date","default":1}""", "1", null)]
    [InlineData("false", "1", "$: nothing may stand here")]
    public void A_value_is_held_to_its_schema(string schema, string value, string? faults)
    {
        var (read, mistake) = SchemaReader.Read("s", Encoding.UTF8.GetBytes(schema));

        Assert.Null(mistake);
        Assert.Equal(faults?.Split('|') ?? [], read!.FaultsOf(JsonDocument.Parse(value).RootElement));
    }

    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("[]", "#: a schema is an object")]
    [InlineData("""{"dependentRequired":{}}""", "#/dependentRequired: is no keyword that is checked here")]
    [InlineData("""{"properties":{"a":{"contains":{}}}}""", "#/properties/a/contains: is no keyword")]
    [InlineData("""{"type":"date"}""", "'date' is no JSON type")]
    [InlineData("""{"pattern":"(a)\\1"}""", "cannot be checked in bounded time")]
    [InlineData("""{"$ref":"#/$defs/none"}""", "points at nothing")]
    [InlineData("""{"$ref":"#name"}""", "must point into this schema")]
    [InlineData("""{"$ref":"https://example.org/schema"}""", "must point into this schema")]
    [InlineData("""{"minLength":"2"}""", "must be a number")]
    public void What_would_not_be_checked_is_refused(string schema, string says) =>
        Assert.Contains(says, SchemaReader.Read("s", Encoding.UTF8.GetBytes(schema)).Mistake, StringComparison.Ordinal);

    [Fact]
    public void A_schema_that_only_refers_to_itself_ends()
    {
        var (schema, _) = SchemaReader.Read("s", """{"$ref":"#"}"""u8.ToArray());

        Assert.NotEmpty(schema!.FaultsOf(JsonDocument.Parse("1").RootElement));
    }

    [Fact]
    public void P10_alternatives_of_alternatives_end_in_bounded_work()
    {
        const string Schema = """
            {"$ref":"#/$defs/node","$defs":{"node":{"oneOf":[
              {"type":"object","properties":{"op":{"const":"and"},"of":{"$ref":"#/$defs/node"}}},
              {"type":"object","properties":{"op":{"const":"or"},"of":{"$ref":"#/$defs/node"}}}]}}}
            """;
        var (schema, _) = SchemaReader.Read("s", Encoding.UTF8.GetBytes(Schema));
        var value = string.Concat(Enumerable.Repeat("{\"of\":", 50)) + "1" + new string('}', 50);

        Assert.NotEmpty(schema!.FaultsOf(JsonDocument.Parse(value).RootElement));
    }

    [Fact]
    public void What_cannot_be_read_does_not_fit()
    {
        var (schema, _) = SchemaReader.Read("s", """{"properties":{"a":{"maxLength":9},"n":{"enum":[1]}}}"""u8.ToArray());

        Assert.NotEmpty(schema!.FaultsOf(JsonDocument.Parse("{\"a\":\"\\ud83d\"}").RootElement));
        Assert.NotEmpty(schema.FaultsOf(JsonDocument.Parse("""{"n":1e99999999999}""").RootElement));
    }

    [Fact]
    public void P8_a_fault_never_repeats_what_it_is_about()
    {
        var (schema, _) = SchemaReader.Read("s", """{"properties":{"a":{"type":"number","enum":[1]}},"additionalProperties":false}"""u8.ToArray());

        Assert.DoesNotContain(schema!.FaultsOf(JsonDocument.Parse("""{"a":"secret","secret":1}""").RootElement), fault => fault.Contains("secret", StringComparison.Ordinal));
    }
}
