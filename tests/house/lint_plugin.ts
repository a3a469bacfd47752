// Lint rules of the house, for `deno lint`. The types are the few that the rules touch, so that
// every type checker can read this file.

/** A syntax node, as far as the rules look at it. */
export interface Node {
  /** The node's kind, in ESTree's words. */
  readonly type: string;
  /** The node around it; the program has none. */
  readonly parent?: Node | null;
  readonly [field: string]: unknown;
}

/** What a rule is given. */
export interface Context {
  /** The file under the lens. */
  readonly filename: string;
  /** Say what is wrong, and where. */
  report(finding: { node: Node; message: string; hint?: string }): void;
}

/** A visitor's methods, by kind of node. */
export type Visitor = Record<string, (node: Node) => void>;

/** A lint rule. */
export interface Rule {
  /** Look at one file. */
  create(context: Context): Visitor;
}

/** A set of lint rules. */
export interface Plugin {
  /** The name that stands before each rule's. */
  readonly name: string;
  /** The rules, by name. */
  readonly rules: Readonly<Record<string, Rule>>;
}

const RUNTIME_NAMES: readonly string[] = ["Deno", "Bun", "process", "Buffer"];
const RUNTIME_ROOMS = /^src\/(adapters|native|roots|integrations|cli)\//;
const NO_USING = /^(mod\.ts$|src\/|tests\/|bench\/)/;
const TOP = new URL("../../", import.meta.url).pathname;

/** The file's path from the top of the repository. */
function pathOf(filename: string): string {
  const path = filename.replaceAll("\\", "/");
  return path.startsWith(TOP) ? path.slice(TOP.length) : path;
}

const noRuntimeNames: Rule = {
  create(context): Visitor {
    const file = pathOf(context.filename);
    const watched = (file === "mod.ts" || file.startsWith("src/")) && !RUNTIME_ROOMS.test(file);
    if (!watched) return {};
    const uses: { name: string; node: Node }[] = [];
    const bindings: { name: string; scope: Node }[] = [];
    const report = (node: Node, name: string): void =>
      context.report({
        node,
        message: `${name} is a runtime's name`,
        hint: "Ask the transport or its host, or move the code to adapters/.",
      });
    return {
      Identifier(node) {
        const name = String(node.name);
        if (!RUNTIME_NAMES.includes(name) || isLabel(node)) return;
        const scope = scopeOfBinding(node);
        if (scope === undefined) uses.push({ name, node });
        else bindings.push({ name, scope });
      },
      MemberExpression(node) {
        const name = keyOf(node.property as Node, node.computed === true);
        if (name !== undefined && isGlobal(node.object as Node)) report(node, name);
      },
      VariableDeclarator(node) {
        const pattern = node.id as Node;
        if (pattern.type !== "ObjectPattern" || !isGlobal(node.init as Node | null)) return;
        for (const property of pattern.properties as Node[]) {
          if (property.type !== "Property") continue;
          const name = keyOf(property.key as Node, property.computed === true);
          if (name !== undefined) report(property, name);
        }
      },
      BinaryExpression(node) {
        if (node.operator !== "in" || !isGlobal(node.right as Node)) return;
        const name = keyOf(node.left as Node, true);
        if (name !== undefined) report(node, name);
      },
      "Program:exit"() {
        for (const { name, node } of uses) {
          const own = bindings.some((one) => one.name === name && isWithin(node, one.scope));
          if (!own) report(node, name);
        }
      },
    };
  },
};

const noUsing: Rule = {
  create(context): Visitor {
    if (!NO_USING.test(pathOf(context.filename))) return {};
    return {
      VariableDeclaration(node) {
        if (node.kind !== "using" && node.kind !== "await using") return;
        context.report({
          node,
          message: "Node 22 cannot parse `using`",
          hint: "Give it back in `finally`.",
        });
      },
    };
  },
};

/** A runtime's name as a property key: `.Deno`, `["Deno"]`, `{ Deno }`. */
function keyOf(key: Node, computed: boolean): string | undefined {
  const name = key.type === "Identifier" && !computed ? key.name : key.value;
  return typeof name === "string" && RUNTIME_NAMES.includes(name) ? name : undefined;
}

/** Whether an expression is `globalThis`, through any number of type assertions. */
function isGlobal(node: Node | null | undefined): boolean {
  const wrappers = [
    "TSAsExpression",
    "TSSatisfiesExpression",
    "TSTypeAssertion",
    "TSNonNullExpression",
    "ParenthesizedExpression",
  ];
  let inner = node;
  while (inner && wrappers.includes(inner.type)) inner = inner.expression as Node;
  return inner?.type === "Identifier" && inner.name === "globalThis";
}

/** Whether an identifier only names a member, and so refers to nothing by itself. */
function isLabel(node: Node): boolean {
  const { parent } = node;
  if (!parent) return false;
  switch (parent.type) {
    case "MemberExpression":
      return parent.property === node && parent.computed !== true;
    case "Property":
      return parent.key === node && parent.computed !== true; // a shorthand's value is another node
    case "MethodDefinition":
    case "PropertyDefinition":
    case "AccessorProperty":
    case "TSAbstractMethodDefinition":
    case "TSAbstractPropertyDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
      return parent.key === node && parent.computed !== true;
    case "TSQualifiedName":
      return parent.right === node;
    case "ImportSpecifier":
      return parent.imported === node && parent.local !== node;
    case "ExportSpecifier":
      return parent.local !== node || isReexport(parent);
    case "TSEnumMember":
      return parent.id === node;
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "ImportAttribute":
    case "TSNamedTupleMember":
      return parent.label === node || parent.key === node;
    case "ExportAllDeclaration":
      return true;
    default:
      return false;
  }
}

function isReexport(specifier: Node): boolean {
  return specifier.parent?.source !== null && specifier.parent?.source !== undefined;
}

const FUNCTIONS: readonly string[] = [
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
  "TSDeclareFunction",
  "TSFunctionType",
  "TSMethodSignature",
  "TSEmptyBodyFunctionExpression",
];

/** The node in which a name holds, if this identifier declares one. */
function scopeOfBinding(node: Node): Node | undefined {
  let child = node;
  let parent = node.parent;
  while (parent && isPatternPart(parent, child)) {
    child = parent;
    parent = parent.parent;
  }
  if (!parent) return undefined;
  if (parent.type === "VariableDeclarator" && parent.id === child) return blockAround(parent);
  if (FUNCTIONS.includes(parent.type)) {
    if ((parent.params as Node[] | undefined)?.includes(child)) return parent;
    return parent.id === child ? blockAround(parent) : undefined;
  }
  if (parent.type === "CatchClause" && parent.param === child) return parent;
  if (parent.type === "TSTypeParameter" && parent.name === child) return blockAround(parent);
  if (/^Import(Default|Namespace)?Specifier$/.test(parent.type)) return blockAround(parent);
  const declares =
    /^(Class(Declaration|Expression)|TS(Interface|TypeAlias|Module|Enum)Declaration)$/;
  return declares.test(parent.type) && parent.id === child ? blockAround(parent) : undefined;
}

/** Whether `child` still declares something inside `parent`, a piece of a pattern. */
function isPatternPart(parent: Node, child: Node): boolean {
  switch (parent.type) {
    case "ObjectPattern":
    case "ArrayPattern":
    case "RestElement":
    case "TSParameterProperty":
      return true;
    case "AssignmentPattern":
      return parent.left === child;
    case "Property":
      return parent.value === child && parent.parent?.type === "ObjectPattern";
    default:
      return false;
  }
}

function blockAround(node: Node): Node {
  const blocks = ["Program", "BlockStatement", "StaticBlock", "TSModuleBlock", "SwitchStatement"];
  const loops = ["ForStatement", "ForOfStatement", "ForInStatement"];
  let around = node.parent ?? node;
  while (around.parent && ![...blocks, ...loops].includes(around.type)) {
    around = around.parent;
  }
  return around;
}

function isWithin(node: Node, scope: Node): boolean {
  for (let around: Node | null | undefined = node; around; around = around.parent) {
    if (around === scope) return true;
  }
  return false;
}

const plugin: Plugin = {
  name: "house",
  rules: { "no-runtime-names": noRuntimeNames, "no-using": noUsing },
};

// `deno lint` asks for a default export.
export default plugin;
