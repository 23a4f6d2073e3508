// logto_auth: begin authentication_methods, version 1
// Returns the claim `authentication_methods`: the names of the methods that proved this sign-in, and nothing else.
// `manage.py logto_setup` writes this block and replaces it as a whole. Write your own code outside of it.
const logtoAuthClaims = (parameters) => {
  const counts = (record, { account, interaction, bound }) => {
    const isVerified = record.verified === true;
    const isOwn = record.userId === account;
    // Logto also marks a new factor as verified that was generated during the sign-in and never bound to the user.
    const isUse = isVerified && isOwn && record.registrationRpId === undefined;
    switch (record.type) {
      case "Totp":
        return isUse && bound.includes("Totp");
      case "WebAuthn":
      case "SignInPasskey":
        return isUse && bound.includes("WebAuthn");
      case "BackupCode":
        // This record has no `verified`. The code itself stands in it, and must not be copied.
        return isOwn && typeof record.code === "string" && record.code !== "";
      case "Social":
        return isObject(record.socialUserInfo);
      case "EnterpriseSso":
        return isObject(record.enterpriseSsoUserInfo) && typeof record.issuer === "string";
      case "NewPasswordIdentity":
        return interaction.interactionEvent === "Register";
      default:
        return isVerified && (isOwn || record.userId === undefined);
    }
  };
  const isObject = (value) => typeof value === "object" && value !== null;
  const isName = (value) => typeof value === "string" && /^[A-Za-z][A-Za-z0-9]{0,63}$/.test(value);
  try {
    const { token, context } = parameters;
    const { user, interaction } = context;
    const account = token.accountId;
    // After a sign-out at Logto, and in a token exchange, there is no interaction.
    if (!isObject(interaction) || !Array.isArray(interaction.verificationRecords)) {
      return {};
    }
    if (typeof account !== "string" || !account || user.id !== account || interaction.userId !== account) {
      return {};
    }
    const bound = Array.isArray(user.mfaVerificationFactors) ? user.mfaVerificationFactors : [];
    const names = interaction.verificationRecords
      .filter((record) => isObject(record) && isName(record.type))
      .filter((record) => counts(record, { account, interaction, bound }))
      .map((record) => record.type);
    return { authentication_methods: [...new Set(names)].sort() };
  } catch (error) {
    return {};
  }
};
// logto_auth: end authentication_methods
