use super::Compatibility;

/// One setting of [`Compatibility`], by which settings are named and kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum Excuse {
    /// [`Compatibility::v_flag`].
    VFlag,
    /// [`Compatibility::prf_zero`].
    PrfZero,
    /// [`Compatibility::srtp_id_map`].
    SrtpIdMap,
    /// [`Compatibility::uids_in_plain_roles`].
    UidsInPlainRoles,
    /// [`Compatibility::kms_uri_trailing_nul`].
    KmsUriNul,
    /// [`Compatibility::unsigned_sign_header`].
    UnsignedSignHeader,
    /// [`Compatibility::neighbouring_periods`].
    NeighbouringPeriods,
    /// [`Compatibility::dropped_zeros`].
    DroppedZeros,
    /// [`Compatibility::clear_key_parameters`].
    ClearKeyParameters,
}

impl Excuse {
    /// All settings.
    pub const ALL: [Self; 9] = [
        Self::VFlag,
        Self::PrfZero,
        Self::SrtpIdMap,
        Self::UidsInPlainRoles,
        Self::KmsUriNul,
        Self::UnsignedSignHeader,
        Self::NeighbouringPeriods,
        Self::DroppedZeros,
        Self::ClearKeyParameters,
    ];

    /// A name that does not change.
    pub const fn name(self) -> &'static str {
        match self {
            Self::VFlag => "v-flag",
            Self::PrfZero => "prf-zero",
            Self::SrtpIdMap => "srtp-id-map",
            Self::UidsInPlainRoles => "uids-in-plain-roles",
            Self::KmsUriNul => "kms-uri-nul",
            Self::UnsignedSignHeader => "unsigned-sign-header",
            Self::NeighbouringPeriods => "neighbouring-periods",
            Self::DroppedZeros => "dropped-zeros",
            Self::ClearKeyParameters => "clear-key-parameters",
        }
    }

    /// The setting of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|excuse| excuse.name() == name)
    }

    /// What is excused, in words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::VFlag => "the V flag is set",
            Self::PrfZero => "PRF function 0 is named, meaning PRF-HMAC-SHA-256",
            Self::SrtpIdMap => "the CS ID map is of type SRTP-ID",
            Self::UidsInPlainRoles => "UIDs stand in the roles of URIs",
            Self::KmsUriNul => "a KMS URI ends with a NUL octet",
            Self::UnsignedSignHeader => "the signature leaves out the header of its payload",
            Self::NeighbouringPeriods => "the UIDs are those of the key period before or after",
            Self::DroppedZeros => "the encapsulation lacks leading zero octets",
            Self::ClearKeyParameters => "the key parameters are in clear, in their old form",
        }
    }

    fn of(self, compatibility: &mut Compatibility) -> &mut bool {
        match self {
            Self::VFlag => &mut compatibility.v_flag,
            Self::PrfZero => &mut compatibility.prf_zero,
            Self::SrtpIdMap => &mut compatibility.srtp_id_map,
            Self::UidsInPlainRoles => &mut compatibility.uids_in_plain_roles,
            Self::KmsUriNul => &mut compatibility.kms_uri_trailing_nul,
            Self::UnsignedSignHeader => &mut compatibility.unsigned_sign_header,
            Self::NeighbouringPeriods => &mut compatibility.neighbouring_periods,
            Self::DroppedZeros => &mut compatibility.dropped_zeros,
            Self::ClearKeyParameters => &mut compatibility.clear_key_parameters,
        }
    }
}

impl Compatibility {
    /// These excused as well.
    #[must_use]
    pub fn and(mut self, excuses: impl IntoIterator<Item = Excuse>) -> Self {
        for excuse in excuses {
            *excuse.of(&mut self) = true;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_and_a_setting_of_its_own() {
        let mut settings = Vec::new();
        for excuse in Excuse::ALL {
            assert_eq!(Excuse::from_name(excuse.name()), Some(excuse));
            settings.push(Compatibility::default().and([excuse]));
        }
        for (i, setting) in settings.iter().enumerate() {
            assert!(!settings[..i].contains(setting) && *setting != Compatibility::default());
        }
        assert_eq!(Excuse::from_name("V-FLAG"), None);
    }
}
